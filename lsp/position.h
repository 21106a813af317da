// Positions of the client (line and character in the negotiated encoding) against byte offsets of a UTF-8 text. Pure.
// Inside the server a position is a byte offset; these two functions are the only bridge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::lsp {

enum class PositionEncoding { kUtf8, kUtf16, kUtf32 };

[[nodiscard]] std::string_view name_of(PositionEncoding encoding);

struct Position {
  std::uint32_t line = 0, character = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

struct Range {
  Position start, end;
  friend bool operator==(const Range&, const Range&) = default;
};

// Lines end at \n, \r\n or \r. A character past the line's end is the line's end, as the protocol says; a line past the
// last one is the end of the text; a position inside a character is the character's start. `text` is valid UTF-8.
[[nodiscard]] std::size_t offset_of(std::string_view text, Position position, PositionEncoding encoding);
// `offset` on a character boundary, at most text.size(). Between \r and \n it is the line's end.
[[nodiscard]] Position position_of(std::string_view text, std::size_t offset, PositionEncoding encoding);

// The begin of the line that `offset` is on.
[[nodiscard]] std::size_t line_begin(std::string_view text, std::size_t offset);

}  // namespace weft::lsp
