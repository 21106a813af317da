// Lines and indentation, for tasks that take a piece out of a file and put another in. Line ends are "\n" or "\r\n";
// what comes out has "\n" alone. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "generation/syntax/functions.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

// Without their line ends. A last line that is empty is none.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
// Without the blanks around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);
// Spaces and tabs before the first other character.
[[nodiscard]] std::string_view margin_of(std::string_view line);
// The text without the indentation that is common to its lines, and without blank lines at its end.
[[nodiscard]] std::string without_indentation(std::string_view text);
// `columns` spaces before each line that is not blank.
[[nodiscard]] std::string indented(std::string_view text, std::size_t columns);
// The range, begun where its first line begins.
[[nodiscard]] generation::ByteRange from_line_begin(std::string_view text, generation::ByteRange range);
// The function as tasks ask about it: decorators, signature, body, without indentation.
[[nodiscard]] std::string function_text(std::string_view text, const generation::FunctionParts& parts);

// Do the two have the same tokens? Layout and comments do not count. False where one does not parse.
[[nodiscard]] bool same_code(const generation::Language& language, std::string_view a, std::string_view b);
// A text of its own that parses without ERROR or MISSING.
[[nodiscard]] bool parses(const generation::Language& language, std::string_view text);

}  // namespace weft::adapters
