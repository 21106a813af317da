// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

struct Utf8Character {
  char32_t code = 0;  // U+FFFD when invalid
  std::size_t bytes = 1;
  bool valid = false;  // false: one byte that begins no whole character
};

// offset < text.size().
[[nodiscard]] Utf8Character utf8_at(std::string_view text, std::size_t offset);
// Length of the longest valid beginning of `text`.
[[nodiscard]] std::size_t utf8_valid_prefix(std::string_view text);
[[nodiscard]] inline bool is_valid_utf8(std::string_view text) { return utf8_valid_prefix(text) == text.size(); }
// Characters in `text`; an invalid byte counts as one.
[[nodiscard]] std::size_t utf8_count(std::string_view text);
// The largest offset <= `offset` that is not inside a character.
[[nodiscard]] std::size_t utf8_floor(std::string_view text, std::size_t offset);

}  // namespace weft
