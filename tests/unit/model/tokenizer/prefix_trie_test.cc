// Which tokens may follow where bytes have to come out again: every remainder against the definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "model/tokenizer/prefix_trie.h"

namespace weft::model {
namespace {

class Listed final : public Tokenizer {
 public:
  explicit Listed(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}
  [[nodiscard]] std::size_t vocabulary() const override { return tokens_.size(); }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view /*text*/) const override { return {}; }
  [[nodiscard]] std::string_view bytes(TokenId id) const override {
    return tokens_[static_cast<std::size_t>(id.value())];
  }
  [[nodiscard]] std::optional<TokenId> control(std::string_view /*name*/) const override { return std::nullopt; }

 private:
  std::vector<std::string> tokens_;
};

std::set<TokenId> naive(const Tokenizer& tokenizer, std::string_view remainder) {
  std::set<TokenId> out;
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(tokenizer.vocabulary()); ++id) {
    const std::string_view bytes = tokenizer.bytes(TokenId(id));
    if (!bytes.empty() && (remainder.starts_with(bytes) || bytes.starts_with(remainder))) out.insert(TokenId(id));
  }
  return out;
}

void expect_as_defined(const PrefixTrie& trie, const Tokenizer& tokenizer, const std::string& remainder) {
  const auto allowed = trie.allowed(remainder);
  std::set<TokenId> actual(allowed.extensions.begin(), allowed.extensions.end());
  actual.insert(allowed.parts.begin(), allowed.parts.end());
  EXPECT_EQ(actual.size(), allowed.extensions.size() + allowed.parts.size()) << "a token twice";
  EXPECT_EQ(actual, naive(tokenizer, remainder));
  for (const TokenId part : allowed.parts) EXPECT_LT(tokenizer.bytes(part).size(), remainder.size());
  for (const TokenId whole : allowed.extensions) EXPECT_GE(tokenizer.bytes(whole).size(), remainder.size());
}

TEST(PrefixTrie, AllowsWhatTheDefinitionAllows) {
  std::mt19937 random(3);
  const std::string alphabet("ab\xFF\0", 4);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> tokens(random() % 80);  // some empty, as control tokens are; some twice
    for (auto& token : tokens) {
      token.resize(random() % 6);
      for (char& c : token) c = alphabet[random() % 4];
    }
    const Listed tokenizer(tokens);
    const PrefixTrie trie(tokenizer);
    // Every remainder of up to four letters, and every token with one more.
    std::vector<std::string> remainders = {""};
    for (std::size_t i = 0; i < remainders.size() && remainders[i].size() < 4; ++i) {
      for (const char c : alphabet) remainders.push_back(remainders[i] + c);
    }
    for (const auto& token : tokens) remainders.insert(remainders.end(), {token, token + "a", "b" + token});
    for (const auto& remainder : remainders) expect_as_defined(trie, tokenizer, remainder);
  }
}

// Whether a token, laid so that it begins inside `left` and ends behind it, agrees with all that is there.
bool naive_crosses(const std::vector<std::string>& tokens, const std::string& left, const std::string& right) {
  const std::string text = left + right;
  for (const std::string& token : tokens) {
    for (std::size_t begin = 0; begin < left.size(); ++begin) {
      if (begin + token.size() <= left.size()) continue;
      const std::string there = text.substr(begin, token.size());
      if (token.starts_with(there)) return true;
    }
  }
  return false;
}

TEST(PrefixTrie, KnowsWhereTokensMayCross) {
  std::mt19937 random(5);
  const auto word = [&](std::size_t size) {
    std::string out(random() % size, 'a');
    for (char& c : out) c = "abc"[random() % 3];
    return out;
  };
  std::size_t crossed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> tokens(random() % 6);
    for (auto& token : tokens) token = word(6);
    const std::string left = word(7), right = word(5);
    const bool expected = naive_crosses(tokens, left, right);
    EXPECT_EQ(PrefixTrie(Listed(tokens)).crosses(left, right), expected) << left << '|' << right;
    crossed += expected ? 1 : 0;
  }
  EXPECT_GT(crossed, 300U);
  EXPECT_LT(crossed, 2700U);
}

TEST(PrefixTrie, AllowsOfARealVocabularyWhatTheDefinitionAllows) {
  for (const char* family : {"qwen2", "codellama", "t5"}) {
    const auto tokenizer = load_tokenizer(std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/" + family);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const PrefixTrie trie(**tokenizer);
    for (const std::string remainder :
         {"", " ", "retu", " self.na", "\n    ", "漢", "\xE6", "<|fim", "zzzzqq", "\xFF"}) {
      expect_as_defined(trie, **tokenizer, remainder);
    }
  }
}

}  // namespace
}  // namespace weft::model
