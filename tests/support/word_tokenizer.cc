#include "tests/support/word_tokenizer.h"

namespace weft::test {

std::vector<TokenId> WordTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> out;
  while (!text.empty()) {
    TokenId token = byte_token(text.front());
    std::size_t length = 1;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i].size() <= length || !text.starts_with(words_[i])) continue;
      token = TokenId(static_cast<std::int32_t>(ByteTokenizer::kVocabulary + i));
      length = words_[i].size();
    }
    out.push_back(token);
    text.remove_prefix(length);
  }
  return out;
}

std::string_view WordTokenizer::bytes(TokenId id) const {
  const auto index = static_cast<std::size_t>(id.value());
  return index < ByteTokenizer::kVocabulary ? bytes_.bytes(id) : words_[index - ByteTokenizer::kVocabulary];
}

}  // namespace weft::test
