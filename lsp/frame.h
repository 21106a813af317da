// Frames of the base protocol: `Content-Length: N`, a blank line, N bytes. A pure, incremental state machine: the
// transport feeds bytes as they come, and what comes out does not depend on how they were split. Memory is bounded by
// the limits. After a malformed header the decoder looks for the next `Content-Length:`, so one bad frame costs no more
// than itself where that is possible.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::lsp {

struct FrameLimits {
  std::size_t header_bytes = std::size_t{8} << 10;
  std::size_t body_bytes = std::size_t{64} << 20;
};

class FrameDecoder {
 public:
  explicit FrameDecoder(FrameLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }
  // The next body, or what was wrong with a frame; nothing: more bytes are needed. Call until it gives nothing.
  std::optional<Expected<std::string>> next();
  // Whether the stream may end here without cutting a frame.
  [[nodiscard]] bool at_boundary() const { return state_ == State::kHeader && buffer_.empty() && header_bytes_ == 0; }

 private:
  enum class State { kHeader, kBody, kSkip, kResync };

  std::optional<Error> read_header_line();
  std::optional<Error> finish_header();
  std::optional<Error> fail(Error error, State next);
  std::optional<Error> refuse_line(Error error);
  void resync();
  void skip();

  FrameLimits limits_;
  State state_ = State::kHeader;
  std::string buffer_;            // not yet consumed
  std::size_t scanned_ = 0;       // bytes at the buffer's start known to hold no line end
  std::size_t header_bytes_ = 0;  // of the current header's consumed lines
  std::optional<std::size_t> length_;
  std::size_t remaining_ = 0;  // bytes still to skip
  bool progressed_ = false;
};

// A whole frame around `body`.
[[nodiscard]] std::string encode_frame(std::string_view body);

}  // namespace weft::lsp
