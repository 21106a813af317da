// Typing a line with suggestions at hand, as characters saved are counted. Pure but for what is asked.
//
// The line is typed from its first character that is not blank to its last one. At each place something may be shown.
// It is accepted, with one key, where its first line is exactly what is left of the line, blanks at the end aside, and
// then the line is done; otherwise the next character is typed. What is shown stays as long as it is typed along, as an
// editor keeps it; where it is not, or nothing is shown, the next place is asked anew. Characters saved are then
// 1 - keys / characters, over lines together.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "model/base/expected.h"

namespace weft::adapters {

struct TypedLine {
  std::size_t characters = 0, keys = 0;  // UTF-8 characters
  bool accepted = false;
};

// What is shown after so many bytes of the line; empty: nothing.
using Suggest = std::function<Expected<std::string>(std::size_t typed_bytes)>;

// `line` has no blanks at its ends. Error: what `suggest` says.
Expected<TypedLine> type_line(std::string_view line, const Suggest& suggest);

// The first line of a suggestion, without blanks at its end.
[[nodiscard]] std::string_view first_line(std::string_view suggestion);

}  // namespace weft::adapters
