// Frames from any bytes: what comes out does not depend on the split, stays within the limits, and good frames that
// follow a line end come through.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/frame.h"
#include "model/base/check.h"

namespace {

constexpr weft::lsp::FrameLimits kLimits = {.header_bytes = 256, .body_bytes = 512};

void drain(weft::lsp::FrameDecoder& decoder, std::vector<std::string>& out) {
  while (auto frame = decoder.next()) {
    if (*frame) WEFT_CHECK((*frame)->size() <= kLimits.body_bytes);
    out.push_back(*frame ? "+" + **frame : "-" + frame->error().message);
  }
}

}  // namespace

// The first byte is how many bytes are fed at a time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = static_cast<std::size_t>(data[0]) + 1;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::lsp::FrameDecoder whole(kLimits), split(kLimits);
  std::vector<std::string> expected, out;
  whole.feed(stream);
  drain(whole, expected);
  for (std::size_t begin = 0; begin < stream.size(); begin += step) {
    split.feed(stream.substr(begin, step));
    drain(split, out);
  }
  WEFT_CHECK(out == expected);
  if (!whole.at_boundary()) return 0;
  whole.feed(weft::lsp::encode_frame("{}"));
  const auto good = whole.next();
  WEFT_CHECK(good && *good && **good == "{}");
  return 0;
}
