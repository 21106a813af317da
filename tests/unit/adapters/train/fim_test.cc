#include "adapters/train/fim.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/byte_tokenizer.h"

namespace weft::adapters {
namespace {

using test::ByteTokenizer;

const ByteTokenizer& tokenizer() {
  static const ByteTokenizer instance;
  return instance;
}

FimTokens control() { return *find_fim_tokens(tokenizer()); }

std::vector<TokenId> sequence(std::string_view text, Cut cut, FimOrder order, std::size_t room = 1000) {
  return fim_sequence(text, cut, order, room, tokenizer(), control());
}

std::vector<TokenId> joined(std::initializer_list<std::vector<TokenId>> parts) {
  std::vector<TokenId> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

std::vector<TokenId> text_tokens(std::string_view text) { return tokenizer().encode(text); }

TEST(Fim, PrefixFirst) {
  const FimTokens c = control();
  EXPECT_EQ(
      sequence("abcdef", {2, 4}, FimOrder::kPrefixFirst),
      joined({{c.prefix}, text_tokens("ab"), {c.suffix}, text_tokens("ef"), {c.middle}, text_tokens("cd"), {c.end}}));
}

TEST(Fim, SuffixFirstKeepsPrefixAndMiddleTogether) {
  const FimTokens c = control();
  EXPECT_EQ(sequence("abcdef", {2, 4}, FimOrder::kSuffixFirst),
            joined({{c.prefix, c.suffix}, text_tokens("ef"), {c.middle}, text_tokens("abcd"), {c.end}}));
}

TEST(Fim, TooLongLosesTheFarEndsAndKeepsTheMiddle) {
  const FimTokens c = control();
  EXPECT_EQ(sequence("abcdef", {2, 4}, FimOrder::kSuffixFirst, 9),
            joined({{c.prefix, c.suffix}, text_tokens("e"), {c.middle}, text_tokens("abcd"), {c.end}}));
  EXPECT_EQ(sequence("abcdef", {2, 4}, FimOrder::kSuffixFirst, 7),
            joined({{c.prefix, c.suffix, c.middle}, text_tokens("bcd"), {c.end}}));
  EXPECT_TRUE(sequence("abcdef", {2, 4}, FimOrder::kSuffixFirst, 5).empty());
}

TEST(Fim, CutsAreInOrderAndNeverInsideOfACharacter) {
  const std::string text = "a = 'äöü'\nb = '漢字'\n# 🙂🙂\n";
  std::set<std::size_t> begins;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const Cut cut = choose_cut(text, random);
    ASSERT_LE(cut.begin, cut.end);
    ASSERT_LE(cut.end, text.size());
    for (const std::size_t at : {cut.begin, cut.end}) {
      ASSERT_TRUE(at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U) << at;
    }
    begins.insert(cut.begin);
  }
  EXPECT_GT(begins.size(), 15U);
}

TEST(Fim, ManyMiddlesEndWhereALineEnds) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "value = compute(argument)\n";
  int at_line_end = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    const Cut cut = choose_cut(text, random);
    at_line_end += cut.end == text.size() || text[cut.end] == '\n' ? 1 : 0;
  }
  EXPECT_GT(at_line_end, 180);
  EXPECT_LT(at_line_end, 280);
}

TEST(Fim, TokenizerWithoutControlTokensIsRefusedByName) {
  class Plain final : public model::Tokenizer {
    [[nodiscard]] std::size_t vocabulary() const override { return 1; }
    [[nodiscard]] std::vector<TokenId> encode(std::string_view) const override { return {}; }
    [[nodiscard]] std::string_view bytes(TokenId) const override { return ""; }
    [[nodiscard]] std::optional<TokenId> control(std::string_view) const override { return std::nullopt; }
  };
  const auto found = find_fim_tokens(Plain());
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("<fim_prefix>"), std::string::npos);
}

}  // namespace
}  // namespace weft::adapters
