// CursorPlace: the text around a cursor, cut at the lines that the rules of stopping and trimming ask about.
// Views into the document; pure, never stored beyond it.
#pragma once

#include <cstddef>
#include <string_view>

#include "generation/syntax/language.h"
#include "generation/syntax/scanner.h"

namespace weft::generation {

struct CursorPlace {
  std::string_view before, after;      // the whole text on both sides
  std::string_view line_before;        // the cursor's line up to the cursor
  std::string_view line_after;         // and from there to its end, without the line end
  std::string_view next_line;          // first line below with something in it
  bool crlf = false;                   // the document's line ends
  const Language* language = nullptr;  // never null in what make_place returns
};

[[nodiscard]] CursorPlace make_place(std::string_view text, std::size_t cursor, const Language& language);

// Text without blanks at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string_view trimmed_right(std::string_view text);
// Has a letter or a digit: a line of brackets alone says little.
[[nodiscard]] bool has_word(std::string_view text);

}  // namespace weft::generation
