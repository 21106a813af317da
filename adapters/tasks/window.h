// The piece of a text that has to be parsed to know the statements at a cursor, so that a code action costs as much in
// a long file as in a short one. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "generation/syntax/language.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

// The innermost function around the cursor, from its `def`; else the top-level statement at the cursor with the one
// before and the one behind it.
[[nodiscard]] generation::ByteRange statement_window(const generation::Language& language, std::string_view text,
                                                     std::size_t cursor);

}  // namespace weft::adapters
