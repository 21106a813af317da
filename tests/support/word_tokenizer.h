// WordTokenizer: ByteTokenizer with words, each of which is one token: the longest that the text goes on with. So that
// a cursor can stand inside a token. Immutable, thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/byte_tokenizer.h"

namespace weft::test {

class WordTokenizer final : public model::Tokenizer {
 public:
  explicit WordTokenizer(std::vector<std::string> words) : words_(std::move(words)) {}

  [[nodiscard]] std::size_t vocabulary() const override { return ByteTokenizer::kVocabulary + words_.size(); }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override;
  [[nodiscard]] std::string_view bytes(TokenId id) const override;
  [[nodiscard]] std::optional<TokenId> control(std::string_view name) const override { return bytes_.control(name); }

 private:
  ByteTokenizer bytes_;
  std::vector<std::string> words_;  // their ids follow those of ByteTokenizer
};

}  // namespace weft::test
