// CodeWindow: the statements around a place, small enough to be parsed at each key and whole enough to parse like the
// file that they are from. A large file's own tree would not do: one bracket too many in it makes the parser try to
// mend all that follows. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "generation/syntax/language.h"

namespace weft::generation {

struct WindowBudget {
  std::size_t bytes_before = 4096, bytes_after = 2048;
};

struct CodeWindow {
  std::string text;        // under a header of its own where the statements are indented
  std::size_t cursor = 0;  // the place in it
};

// From a statement that no bracket or string holds, and that nothing up to the place is less indented than; the
// farthest one within the budget. To a line that is indented no more, or as far as the budget goes.
[[nodiscard]] CodeWindow window_around(const Language& language, std::string_view text, std::size_t offset,
                                       WindowBudget budget = {});

}  // namespace weft::generation
