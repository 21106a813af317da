#include "generation/completion/prompt.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/base/utf8.h"
#include "tests/support/word_tokenizer.h"
#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

using test::ByteTokenizer;
using test::fim_config;

const ByteTokenizer kTokenizer;
const model::PrefixTrie kTrie(kTokenizer);

Expected<std::string> unscreened(std::string_view, std::string_view text) { return std::string(text); }

struct Parts {
  std::string prefix, suffix;
};

std::vector<TokenId> prompt_of(std::string_view before, std::string_view after, PromptBudget budget = {},
                               model::FimLayout layout = model::FimLayout::kPsm) {
  auto prompt = build_prompt({"a.py", before, after}, budget, {fim_config(layout), kTokenizer, kTrie}, unscreened);
  WEFT_CHECK(prompt.has_value());
  return prompt->tokens;
}

Parts parts_of(const std::vector<TokenId>& psm) {
  const auto suffix = std::ranges::find(psm, ByteTokenizer::kFimSuffix);
  const auto middle = std::ranges::find(psm, ByteTokenizer::kFimMiddle);
  WEFT_CHECK(psm.front() == ByteTokenizer::kFimPrefix && middle + 1 == psm.end());
  return {kTokenizer.decode({psm.begin(), suffix}), kTokenizer.decode({suffix, psm.end()})};
}

std::string numbered_lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("line{:04} = 1\n", i);
  return text;
}

TEST(Prompt, HasTheFamilysOrder) {
  std::vector<TokenId> expected = {ByteTokenizer::kFimPrefix, test::byte_token('a'), ByteTokenizer::kFimSuffix,
                                   test::byte_token('b'), ByteTokenizer::kFimMiddle};
  EXPECT_EQ(prompt_of("a", "b"), expected);
  expected = {ByteTokenizer::kFimPrefix, ByteTokenizer::kFimSuffix, test::byte_token('b'), ByteTokenizer::kFimMiddle,
              test::byte_token('a')};
  EXPECT_EQ(prompt_of("a", "b", {}, model::FimLayout::kSpm), expected);
}

TEST(Prompt, BeginsWithTheFamilysFirstToken) {
  model::ModelConfig config = fim_config(model::FimLayout::kPsm);
  config.bos = 7;
  const auto prompt = build_prompt({"a.py", "a", ""}, {}, {config, kTokenizer, kTrie}, unscreened);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->tokens.front(), TokenId(7));
}

TEST(Prompt, IsThePrefixAloneWhereTheFamilyCannotInfill) {
  const auto prompt = build_prompt({"a.py", "ab", "cd"}, {}, {model::ModelConfig(), kTokenizer, kTrie}, unscreened);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(kTokenizer.decode(prompt->tokens), "ab");
  EXPECT_EQ(prompt->tokens.size(), 2U);
}

TEST(Prompt, NamesTheControlTokenThatTheTokenizerLacks) {
  model::ModelConfig config = fim_config(model::FimLayout::kPsm);
  config.fim.middle = "<mid>";
  const auto prompt = build_prompt({"a.py", "a", "b"}, {}, {config, kTokenizer, kTrie}, unscreened);
  ASSERT_FALSE(prompt);
  EXPECT_EQ(prompt.error().message, "the model names the fim token <mid>, which its tokenizer does not have");
}

TEST(Prompt, KeepsWithinItsBudgetsWhateverTheText) {
  const std::string lines = numbered_lines(500), line(5000, 'a');
  for (const std::size_t total : {16U, 100U, 768U}) {
    for (const std::string& before : {std::string(), lines, line, lines + line, line + lines}) {
      for (const std::string& after : {std::string(), lines, line}) {
        EXPECT_LE(prompt_of(before, after, {total, total / 4}).size(), total);
      }
    }
  }
}

TEST(Prompt, KeepsTheTextNextToTheCursor) {
  const Parts parts = parts_of(prompt_of(numbered_lines(500) + "here", "there\n" + numbered_lines(500)));
  EXPECT_TRUE(parts.prefix.ends_with("line0499 = 1\nhere"));
  EXPECT_TRUE(parts.suffix.starts_with("there\nline0000 = 1\n"));
  EXPECT_TRUE(parts.prefix.starts_with("line"));  // whole lines only
  EXPECT_TRUE(parts.suffix.ends_with("\n"));
  EXPECT_GT(parts.prefix.size(), 150U);
  EXPECT_GT(parts.suffix.size(), 100U);
}

TEST(Prompt, MovesItsWindowInBigSteps) {
  std::string text = numbered_lines(100), last;
  std::size_t moves = 0;
  for (int line = 0; line < 128; ++line) {
    text += "x = 1\n";
    const std::string prefix = parts_of(prompt_of(text, "", {1024, 192})).prefix;
    if (!last.empty() && !prefix.starts_with(last)) ++moves;
    last = prefix;
  }
  EXPECT_LE(moves, 5U);
}

TEST(Prompt, HasLinefeedsWhateverTheDocumentHas) {
  const Parts parts = parts_of(prompt_of("a\r\nb\r\n", "\r\nc\r\n"));
  EXPECT_EQ(parts.prefix, "a\nb\n");
  EXPECT_EQ(parts.suffix, "\nc\n");
}

TEST(Prompt, CutsNoCharacterInTwo) {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) before += "é", after += "→";
  for (int shift = 0; shift < 4; ++shift) {
    std::vector<std::string> pieces;
    const Screen watch = [&pieces](std::string_view, std::string_view text) -> Expected<std::string> {
      pieces.emplace_back(text);
      return std::string(text);
    };
    before.insert(before.begin(), 'x');
    ASSERT_TRUE(build_prompt({"a.py", before, after}, {100, 30},
                             {fim_config(model::FimLayout::kPsm), kTokenizer, kTrie}, watch));
    ASSERT_FALSE(pieces.empty());
    for (const std::string& piece : pieces) EXPECT_TRUE(is_valid_utf8(piece)) << shift;
  }
}

TEST(Prompt, EndsBeforeTheWordThatTheCursorIsIn) {
  const test::WordTokenizer tokenizer({"print"});
  const model::PrefixTrie trie(tokenizer);
  const auto text_of = [&](std::string_view before, const model::ModelConfig& config) {
    const auto prompt = build_prompt({"a.py", before, "x\n"}, {}, {config, tokenizer, trie}, unscreened);
    WEFT_CHECK(prompt.has_value());
    return tokenizer.decode(prompt->tokens) + '|' + prompt->opening;
  };
  const model::ModelConfig psm = fim_config(model::FimLayout::kPsm), spm = fim_config(model::FimLayout::kSpm);
  EXPECT_EQ(text_of("a = pri", psm), "a = x\n|pri");
  EXPECT_EQ(text_of("a = pri", spm), "x\na = |pri");
  EXPECT_EQ(text_of("a = pri", model::ModelConfig()), "a = |pri");
  EXPECT_EQ(text_of("a = prx", psm), "a = prxx\n|");
  EXPECT_EQ(text_of("pri", psm), "x\n|pri");
  EXPECT_EQ(text_of("pri", model::ModelConfig()), "pri|");  // a prompt has a token
}

// A tokenizer of code: a line end and the blanks after it are one token, so is a word.
class LineEndTokenizer final : public model::Tokenizer {
 public:
  [[nodiscard]] std::size_t vocabulary() const override { return 1 << 20; }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i + 1;
      if (text[i] == '\n') end = std::min(text.find_first_not_of(" \n", i), text.size());
      // The ids depend on the text alone.
      tokens.emplace_back(static_cast<std::int32_t>(std::hash<std::string_view>{}(text.substr(i, end - i)) >> 45U));
      i = end;
    }
    return tokens;
  }
  [[nodiscard]] std::string_view bytes(TokenId) const override { return {}; }
  [[nodiscard]] std::optional<TokenId> control(std::string_view) const override { return std::nullopt; }
};

TEST(Prompt, KeepsALineEndAndItsIndentationTogether) {
  const LineEndTokenizer tokenizer;
  const std::string text = "def f():\n    a = 1\n\n    b";
  const auto prompt = build_prompt({"a.py", text, ""}, {}, {model::ModelConfig(), tokenizer, kTrie}, unscreened);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->tokens, tokenizer.encode(text));
}

// How many tokens of a key's prompt are those of the key before it, from the first on: what need not be computed again.
class Keys : public ::testing::Test {
 protected:
  std::vector<TokenId> prompt(std::string_view before, std::string_view after) {
    PromptBudget budget{1024, 256};
    auto built = build_prompt({"a.py", before, after}, budget, {config_, tokenizer_, trie_}, unscreened);
    WEFT_CHECK(built.has_value());
    return built->tokens;
  }
  // Tokens of the second prompt that are not in the common beginning.
  static std::size_t fresh(const std::vector<TokenId>& first, const std::vector<TokenId>& second) {
    const std::size_t shorter = std::min(first.size(), second.size());
    const auto differ =
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(shorter), second.begin());
    return second.size() - static_cast<std::size_t>(differ.first - first.begin());
  }
  std::size_t middle(const std::vector<TokenId>& tokens) {
    return static_cast<std::size_t>(std::ranges::find(tokens, ByteTokenizer::kFimMiddle) - tokens.begin());
  }
  static model::ModelConfig incremental() {
    model::ModelConfig config = fim_config(model::FimLayout::kPsm);
    config.fim.increment_after_middle = true;
    return config;
  }

  model::ModelConfig config_ = incremental();
  ByteTokenizer tokenizer_;
  model::PrefixTrie trie_{tokenizer_};
  const std::string head_ = numbered_lines(20), tail_ = "\n" + numbered_lines(30);  // 390 bytes, of which 256 count
};

TEST_F(Keys, InsideALineChangeNothingBeforeTheMiddle) {
  const std::string line = "value = compute(first, second)";
  auto last = prompt(head_, tail_);
  for (std::size_t typed = 1; typed <= line.size(); ++typed) {
    auto next = prompt(head_ + line.substr(0, typed), tail_);
    EXPECT_EQ(fresh(last, next), 1U) << typed;
    EXPECT_TRUE(std::equal(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(middle(last)) + 1, next.begin()));
    last = std::move(next);
  }
  EXPECT_EQ(fresh(last, prompt(head_ + line.substr(0, line.size() - 1), tail_)), 0U) << "backspace";
}

TEST_F(Keys, AcrossLinesMoveTheMiddleOnceInAWhile) {
  std::string text = head_;
  auto last = prompt(text, tail_);
  std::size_t moved = 0;
  for (int key = 0; key < 320; ++key) {  // sixteen lines of twenty keys
    text += key % 20 == 19 ? '\n' : 'x';
    auto next = prompt(text, tail_);
    moved += fresh(last, next) > 1 ? 1U : 0U;
    last = std::move(next);
  }
  EXPECT_LE(moved, 3U);
}

TEST_F(Keys, EditsBelowTheCursorKeepWhatIsAboveIt) {
  const auto before = prompt(head_ + "x = ", tail_);
  const auto after = prompt(head_ + "x = ", tail_ + "more\n");
  const auto edited = prompt(head_ + "x = ", "\nother" + tail_);
  EXPECT_EQ(before, after) << "farther than the prompt reaches";
  const auto suffix = std::ranges::find(edited, ByteTokenizer::kFimSuffix) - edited.begin();
  EXPECT_TRUE(std::equal(edited.begin(), edited.begin() + suffix, before.begin()));
}

TEST_F(Keys, StandInOrderAndNothingIsLost) {
  const auto tokens = prompt(head_ + "x = 1", tail_);
  const auto suffix = std::ranges::find(tokens, ByteTokenizer::kFimSuffix);
  const auto middle = std::ranges::find(tokens, ByteTokenizer::kFimMiddle);
  EXPECT_EQ(tokenizer_.decode({tokens.begin(), suffix}) + tokenizer_.decode({middle, tokens.end()}), head_ + "x = 1");
  EXPECT_TRUE(tokenizer_.decode({middle, tokens.end()}).starts_with("line0016"));
}

TEST_F(Keys, OfALineLongerThanTheBudgetStayInThePrefix) {
  const auto tokens = prompt(std::string(3000, 'a'), tail_);
  EXPECT_EQ(middle(tokens) + 1, tokens.size());
}

TEST_F(Keys, InSpmAreTheLastOfThePrompt) {
  config_ = fim_config(model::FimLayout::kSpm);
  auto last = prompt(head_, tail_);
  for (const char* typed : {"v", "va", "val"}) {
    auto next = prompt(head_ + typed, tail_);
    EXPECT_EQ(fresh(last, next), 1U);
    last = std::move(next);
  }
}

TEST(StopTokens, AreTheEndOfTextAndWhatSeparatesDocuments) {
  const auto stops = stop_tokens(fim_config(model::FimLayout::kPsm), kTokenizer);
  EXPECT_EQ(stops.size(), 4U);
  for (const TokenId token :
       {ByteTokenizer::kEndOfText, ByteTokenizer::kFimPrefix, ByteTokenizer::kFimSuffix, ByteTokenizer::kFimMiddle}) {
    EXPECT_NE(std::ranges::find(stops, token), stops.end());
  }
}

}  // namespace
}  // namespace weft::generation
