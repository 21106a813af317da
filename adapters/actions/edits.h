// Text as edits need it: whole lines, their indentation, and whether a document is still sound with an edit in it.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "adapters/actions/actions.h"
#include "generation/syntax/language.h"

namespace weft::adapters {

// Code without the indentation that is common to its lines, and with LF line ends.
struct DedentedCode {
  std::string text;
  std::string indentation;  // what was taken from the lines
  bool crlf = false;        // the line ends were CRLF
};
[[nodiscard]] DedentedCode dedent(std::string_view code);
// The other way round, for code that takes the place of `original`. Blank lines get no indentation.
[[nodiscard]] std::string indent_like(const DedentedCode& original, std::string_view code);

// Line `line` of text[range), from 0, without indentation and line end; empty at the range's end when there is none.
[[nodiscard]] generation::ByteRange line_in(std::string_view text, generation::ByteRange range, std::size_t line);

[[nodiscard]] std::string applied(std::string_view text, const TextEdit& edit);
// Parses the document with and without the edit: it adds no ERROR and no MISSING node. False where nobody can tell.
[[nodiscard]] bool stays_sound(const generation::Language& language, std::string_view text, const TextEdit& edit);

}  // namespace weft::adapters
