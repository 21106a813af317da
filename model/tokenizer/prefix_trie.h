// PrefixTrie: which tokens may come next where the cursor stands inside a token and the bytes that are already there
// have to come out again (character-prefix conditioning). Built once for a tokenizer; immutable, thread-safe.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "model/tokenizer/byte_trie.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

class PrefixTrie {
 public:
  explicit PrefixTrie(const Tokenizer& tokenizer);

  struct Allowed {
    std::vector<TokenId> parts;           // their bytes are less than all that is there; shortest first
    std::span<const TokenId> extensions;  // their bytes begin with all that is there; held by the trie
  };
  // `remainder`: the bytes not matched yet. Control tokens are never among the answer; with nothing left to match all
  // others are. O(b log V + tokens in `parts`) for the b bytes of `remainder` that some token begins with.
  [[nodiscard]] Allowed allowed(std::string_view remainder) const;
  // Whether some token begins inside `left` and ends behind it, where `right` follows and after that anything: then
  // nobody can tell yet that tokens part between the two.
  [[nodiscard]] bool crosses(std::string_view left, std::string_view right) const;

 private:
  ByteTrie trie_;             // no entry is empty
  std::vector<TokenId> ids_;  // of its entries
  std::size_t longest_ = 0;   // bytes of a token
};

}  // namespace weft::model
