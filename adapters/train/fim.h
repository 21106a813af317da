// Fill-in-the-middle (Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the Middle"): a text is
// cut at characters into prefix, middle and suffix, each encoded alone, as a cursor cuts a document. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/data/random.h"
#include "model/base/expected.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {

struct FimTokens {
  TokenId prefix, suffix, middle, end;
};
// Error: the tokenizer lacks one of them, by name.
Expected<FimTokens> find_fim_tokens(const model::Tokenizer& tokenizer);

struct Cut {
  std::size_t begin = 0, end = 0;  // bytes of the middle, on character boundaries
};
// Half of the cuts are anywhere; the others are what an editor asks for: from anywhere to the end of that line or of
// one of the next five. `text` is valid UTF-8.
Cut choose_cut(std::string_view text, Random& random);

enum class FimOrder { kPrefixFirst, kSuffixFirst };
// PSM: <prefix>P<suffix>S<middle>M<end>; SPM: <prefix><suffix>S<middle>P M<end>. At most `room` tokens: a longer one
// loses the end of its suffix, then the begin of its prefix; empty when even that does not do.
std::vector<TokenId> fim_sequence(std::string_view text, Cut cut, FimOrder order, std::size_t room,
                                  const model::Tokenizer& tokenizer, const FimTokens& control);

}  // namespace weft::adapters
