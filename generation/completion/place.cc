#include "generation/completion/place.h"

#include <algorithm>
#include <cctype>

namespace weft::generation {
namespace {
constexpr std::string_view kBlanks = " \t\r\n\f";
}

std::string_view trimmed_right(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kBlanks);
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

std::string_view trimmed(std::string_view text) {
  text = trimmed_right(text);
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

bool has_word(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || (static_cast<unsigned char>(c) & 0x80) != 0;
  });
}

CursorPlace make_place(std::string_view text, std::size_t cursor, const Language& language) {
  CursorPlace place;
  place.language = &language;
  place.before = text.substr(0, cursor);
  place.after = text.substr(cursor);
  const std::size_t newline = place.before.rfind('\n');
  const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
  place.line_before = place.before.substr(line_begin);
  place.line_after = place.after.substr(0, place.after.find('\n'));
  if (place.line_after.ends_with('\r')) place.line_after.remove_suffix(1);

  const std::size_t rest = place.after.find('\n');
  if (rest != std::string_view::npos) {
    const std::string_view below = place.after.substr(rest + 1);
    const std::size_t first = below.find_first_not_of(kBlanks);
    if (first != std::string_view::npos) {
      const std::size_t begin = below.rfind('\n', first);
      const std::size_t from = begin == std::string_view::npos ? 0 : begin + 1;
      place.next_line = trimmed_right(below.substr(from, below.find('\n', first) - from));
    }
  }
  const std::size_t any_newline = text.find('\n');
  place.crlf = any_newline != std::string_view::npos && any_newline > 0 && text[any_newline - 1] == '\r';
  return place;
}

}  // namespace weft::generation
