// The functions of a text, by tree-sitter: where their parts lie. Offsets are bytes. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "generation/syntax/language.h"
#include "generation/syntax/tree.h"

namespace weft::generation {

struct FunctionParts {
  ByteRange whole;      // from the first decorator or `def` (`async def`) to the end of its last statement
  ByteRange signature;  // from `def` (`async def`) to and with the colon
  ByteRange name;
  ByteRange body;                      // its statements, docstring included
  std::optional<ByteRange> docstring;  // the string literal, quotes included
  std::size_t indentation = 0;         // columns before `def`
};

// In the order of the text, inner ones after those that hold them. Those with an ERROR node inside are left out.
[[nodiscard]] std::vector<FunctionParts> functions_of(const Language& language, const SyntaxTree& tree,
                                                      std::string_view text);

}  // namespace weft::generation
