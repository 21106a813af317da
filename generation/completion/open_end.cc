#include "generation/completion/open_end.h"

#include <algorithm>

namespace weft::generation {
namespace {

// Each token but the last costs a step of the model, where a prompt's cost little together. The last alone may be
// longer: an indentation is one token.
constexpr std::size_t kMostTokens = 4;
constexpr std::size_t kMostBytes = 64;

}  // namespace

std::string take_open_end(std::vector<TokenId>& tokens, std::string_view text, const model::Tokenizer& tokenizer,
                          const model::PrefixTrie& trie) {
  std::size_t open = 0;        // bytes
  std::size_t last_alone = 0;  // bytes of the last token
  const auto cut = [&](std::size_t count, std::size_t bytes) {
    tokens.resize(tokens.size() - count);
    return std::string(text.substr(text.size() - bytes));
  };
  for (std::size_t count = 0; count <= std::min(kMostTokens, tokens.size()); ++count) {
    if (count > 0) {
      const std::string_view bytes = tokenizer.bytes(tokens[tokens.size() - count]);
      // What the family's own tokenizer made of the text's beginning need not be the text.
      if (bytes.empty() || open + bytes.size() > kMostBytes) break;
      if (!text.substr(0, text.size() - open).ends_with(bytes)) break;
      open += bytes.size();
      if (count == 1) last_alone = open;
    }
    const std::size_t begin = text.size() - open;
    if (!trie.crosses(text.substr(0, begin), text.substr(begin))) return cut(count, open);
  }
  return last_alone == 0 ? std::string() : cut(1, last_alone);
}

}  // namespace weft::generation
