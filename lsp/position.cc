#include "lsp/position.h"

#include <algorithm>

namespace weft::lsp {
namespace {

std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// How many units of the encoding a character of so many bytes takes.
std::uint32_t units(std::size_t bytes, PositionEncoding encoding) {
  switch (encoding) {
    case PositionEncoding::kUtf8:
      return static_cast<std::uint32_t>(bytes);
    case PositionEncoding::kUtf16:
      return bytes == 4 ? 2 : 1;
    case PositionEncoding::kUtf32:
      return 1;
  }
  return 1;
}

// One past the line end at or after `begin`; npos: the line is the last one.
std::size_t next_line(std::string_view text, std::size_t begin) {
  const std::size_t end = text.find_first_of("\r\n", begin);
  if (end == std::string_view::npos) return end;
  return end + (text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n' ? 2 : 1);
}

}  // namespace

std::string_view name_of(PositionEncoding encoding) {
  switch (encoding) {
    case PositionEncoding::kUtf8:
      return "utf-8";
    case PositionEncoding::kUtf16:
      return "utf-16";
    case PositionEncoding::kUtf32:
      return "utf-32";
  }
  return "utf-16";
}

std::size_t offset_of(std::string_view text, Position position, PositionEncoding encoding) {
  std::size_t begin = 0;
  for (std::uint32_t line = 0; line < position.line; ++line) {
    begin = next_line(text, begin);
    if (begin == std::string_view::npos) return text.size();
  }
  std::uint32_t passed = 0;
  std::size_t offset = begin;
  while (offset < text.size() && text[offset] != '\n' && text[offset] != '\r') {
    const std::size_t bytes = character_bytes(text[offset]);
    passed += units(bytes, encoding);
    if (passed > position.character) break;
    offset += bytes;
  }
  return std::min(offset, text.size());
}

Position position_of(std::string_view text, std::size_t offset, PositionEncoding encoding) {
  Position position;
  std::size_t begin = 0;
  for (std::size_t next = next_line(text, 0); next != std::string_view::npos && next <= offset;
       next = next_line(text, begin)) {
    begin = next;
    ++position.line;
  }
  for (std::size_t i = begin; i < offset && text[i] != '\r';) {
    const std::size_t bytes = character_bytes(text[i]);
    position.character += units(bytes, encoding);
    i += bytes;
  }
  return position;
}

std::size_t line_begin(std::string_view text, std::size_t offset) {
  if (offset > 0 && offset < text.size() && text[offset] == '\n' && text[offset - 1] == '\r') --offset;
  while (offset > 0 && text[offset - 1] != '\n' && text[offset - 1] != '\r') --offset;
  return offset;
}

}  // namespace weft::lsp
