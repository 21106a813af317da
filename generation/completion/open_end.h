// The tokens before the cursor that what follows may still change: "pri" is one token, and so is "print". A prompt that
// ends with the first makes the model spell the second as no text that it has learnt does. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/prefix_trie.h"

namespace weft::generation {

// Takes the open ones off the end of `tokens`, which encode the end of `text`, and returns their bytes, which the model
// is to spell again (GenerationRequest::opening). The cut is the last place between two tokens that no token of the
// vocabulary crosses, whatever follows the text: from there on the text is encoded as it would be together with its
// continuation, and what is before does not depend on it. Where there is none within some bytes, the last token is
// taken alone.
[[nodiscard]] std::string take_open_end(std::vector<TokenId>& tokens, std::string_view text,
                                        const model::Tokenizer& tokenizer, const model::PrefixTrie& trie);

}  // namespace weft::generation
