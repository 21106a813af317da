// Spelling: by which tokens a text that is there already comes out again, up to the token that ends it and may go on
// behind it. There are many ways ("im" may begin "import", or be "i" and "max" without its end), and the first step
// alone misleads: "i" is likely as a whole name and says nothing of what has to follow. So it is a best-first search:
// the way that is gone on with is the likeliest so far, and since probabilities only fall, the first that comes to an
// end is the likeliest spelling. Engine thread only; pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/prefix_trie.h"

namespace weft::generation {

// Minus infinity for tokens that have one of the characters at that byte.
void forbid(std::span<float> logits, std::string_view characters, std::size_t at, const model::Tokenizer& tokenizer);

class Spelling {
 public:
  // What goes on behind the text begins with none of the characters `not_first`.
  explicit Spelling(std::string text, std::string not_first = {})
      : text_(std::move(text)), not_first_(std::move(not_first)) {}

  // The tokens to be read next, all of them less than the text; once chosen, those of the spelling without its end.
  [[nodiscard]] const std::vector<TokenId>& tokens() const { return tried_.tokens; }
  // What of the text is not in `tokens()`: the token after them begins with it.
  [[nodiscard]] std::string_view rest() const { return std::string_view(text_).substr(tried_.spelled); }

  // logits: [V], of what follows `tokens()`. True: these are chosen. False: the logits of others are wanted, or, if
  // `impossible()`, there is no spelling. The trie is the tokenizer's.
  [[nodiscard]] bool read(std::span<const float> logits, const model::Tokenizer& tokenizer,
                          const model::PrefixTrie& trie);
  [[nodiscard]] bool impossible() const { return impossible_; }
  // The logits of what follows `tokens()`, minus infinity where a token does not begin with all of `rest()`.
  [[nodiscard]] std::vector<float> endings(std::span<const float> logits, const model::PrefixTrie& trie) const;

 private:
  struct Way {
    std::vector<TokenId> tokens;
    std::size_t spelled = 0;  // bytes of the text
    double logprob = 0;       // of the tokens, and of an end if it has one
    bool ends = false;        // by one of several tokens
  };
  [[nodiscard]] bool goes_before(const Way& a, const Way& b) const;

  std::string text_, not_first_;
  Way tried_;
  std::vector<Way> open_;
  std::size_t read_ = 0;
  bool impossible_ = false;
};

}  // namespace weft::generation
