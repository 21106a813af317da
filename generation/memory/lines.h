// How a memory cuts a text before it encodes it, so that a change of a line changes that line's tokens alone. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/base/strong_id.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

// "\r\n" becomes "\n".
[[nodiscard]] std::string with_lf(std::string_view text);

// Each a line with the line ends before it, since tokenizers of code have tokens of a line end and its indentation; a
// prompt cuts before the cursor's line in the same way. Together they are the text; none is empty.
[[nodiscard]] std::vector<std::string_view> cut_lines(std::string_view text);

// Of the whole text, each line encoded by itself; with LF line ends.
[[nodiscard]] std::vector<TokenId> memory_tokens(std::string_view text, const model::Tokenizer& tokenizer);

}  // namespace weft::generation
