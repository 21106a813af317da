// The lexical tokens of a line, by tree-sitter's leaves: identifiers, keywords, operators, brackets, literals (of a
// string its quotes and what is between them). Comments are none. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "generation/syntax/language.h"
#include "generation/syntax/tree.h"

namespace weft::adapters {

// Those that lie whole in the range, in the order of the text.
[[nodiscard]] std::vector<generation::ByteRange> lexical_tokens(const generation::Language& language,
                                                                const generation::SyntaxTree& tree,
                                                                generation::ByteRange range);
// The text begins with the token, and not with a longer one: "in" is not how "int" begins, nor "=" how "==" does.
[[nodiscard]] bool begins_with_token(std::string_view text, std::string_view token);

}  // namespace weft::adapters
