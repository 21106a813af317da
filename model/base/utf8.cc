#include "model/base/utf8.h"

#include <algorithm>

namespace weft {
namespace {

constexpr Utf8Character kInvalid{0xFFFD, 1, false};

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// What a leading byte promises: how many bytes, and the least code point that may be written with so many.
struct Lead {
  std::size_t bytes;
  char32_t bits, least;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, static_cast<char32_t>(byte & 0x1F), 0x80};
  if (byte >= 0xE0 && byte <= 0xEF) return {3, static_cast<char32_t>(byte & 0x0F), 0x800};
  if (byte >= 0xF0 && byte <= 0xF4) return {4, static_cast<char32_t>(byte & 0x07), 0x10000};
  return {0, 0, 0};
}

}  // namespace

Utf8Character utf8_at(std::string_view text, std::size_t offset) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[offset]));
  if (lead.bytes == 0 || lead.bytes > text.size() - offset) return kInvalid;
  char32_t code = lead.bits;
  for (std::size_t i = 1; i < lead.bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[offset + i]);
    if (!is_continuation(byte)) return kInvalid;
    code = code << 6 | static_cast<char32_t>(byte & 0x3F);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < lead.least || code > 0x10FFFF || surrogate) return kInvalid;
  return {code, lead.bytes, true};
}

std::size_t utf8_valid_prefix(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const Utf8Character character = utf8_at(text, offset);
    if (!character.valid) break;
    offset += character.bytes;
  }
  return offset;
}

std::size_t utf8_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t offset = 0; offset < text.size(); ++count) offset += utf8_at(text, offset).bytes;
  return count;
}

std::size_t utf8_floor(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t earliest = offset < 3 ? 0 : offset - 3;
  for (std::size_t begin = offset; begin-- > earliest;) {
    if (is_continuation(static_cast<unsigned char>(text[begin]))) continue;
    return begin + utf8_at(text, begin).bytes > offset ? begin : offset;
  }
  return offset;
}

}  // namespace weft
