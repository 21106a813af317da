// A word that the cursor is in comes out again, by the tokens that the model finds likeliest for it.
#include "generation/spelling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generation/sampling.h"
#include "tests/support/engine_harness.h"
#include "tests/support/fake_runner.h"
#include "tests/support/word_tokenizer.h"

namespace weft::test {
namespace {

using generation::FinishReason;
using generation::GenerationRequest;
using generation::GenerationResult;
using generation::Spelling;

double logprob(const std::vector<float>& logits, TokenId token) {
  return logits[static_cast<std::size_t>(token.value())] - log_sum_exp(logits);
}

struct Best {
  std::vector<TokenId> tokens;
  double logprob = -std::numeric_limits<double>::infinity();
};

// By trying all ways: `tokens` spell less than the text, one of several tokens ends it.
void try_all(const Script& script, const WordTokenizer& tokenizer, std::string_view rest, const Best& way, Best& best) {
  const std::vector<float> logits = script(way.tokens);
  double ends = 0;
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(tokenizer.vocabulary()); ++id) {
    const std::string_view bytes = tokenizer.bytes(TokenId(id));
    if (bytes.empty()) continue;
    if (bytes.starts_with(rest)) ends += std::exp(logprob(logits, TokenId(id)));
    if (bytes.size() >= rest.size() || !rest.starts_with(bytes)) continue;
    Best longer = way;
    longer.tokens.emplace_back(id);
    longer.logprob += logprob(logits, TokenId(id));
    try_all(script, tokenizer, rest.substr(bytes.size()), longer, best);
  }
  if (way.logprob + std::log(ends) > best.logprob) best = {way.tokens, way.logprob + std::log(ends)};
}

TEST(Spelling, IsTheLikeliestOfAll) {
  const WordTokenizer tokenizer({"a", "ab", "aba", "ba", "abab", "abc", "bab", "b", "abaX", "baX"});
  const model::PrefixTrie trie(tokenizer);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    // Steep, so that few ways are worth a try.
    const Script script = [&](std::span<const TokenId> history) {
      auto logits = hashed_script(tokenizer.vocabulary(), seed)(history);
      for (float& logit : logits) logit *= 5;
      return logits;
    };
    Spelling spelling("ababa");
    std::size_t reads = 1;
    while (!spelling.read(script(spelling.tokens()), tokenizer, trie)) ASSERT_LT(++reads, 100U);
    Best best;
    try_all(script, tokenizer, "ababa", {{}, 0}, best);
    if (reads < 8) {
      EXPECT_EQ(spelling.tokens(), best.tokens) << seed;
    }
    EXPECT_EQ(tokenizer.decode(spelling.tokens()) + std::string(spelling.rest()), "ababa");
    EXPECT_FALSE(spelling.rest().empty());
  }
}

TEST(Spelling, OfALongTextEndsSoonWhateverTheModelSays) {
  const WordTokenizer tokenizer({});
  const model::PrefixTrie trie(tokenizer);
  const std::vector<float> flat(tokenizer.vocabulary(), 0.0F);
  const std::string text(60, 'x');
  Spelling spelling(text);
  std::size_t reads = 1;
  while (!spelling.read(flat, tokenizer, trie)) ASSERT_LT(++reads, 2 * text.size());
  EXPECT_EQ(spelling.tokens().size(), text.size() - 1);
}

TEST(Spelling, SaysWhereThereIsNone) {
  const WordTokenizer tokenizer({});
  const model::PrefixTrie trie(tokenizer);
  std::vector<float> logits(tokenizer.vocabulary(), 0.0F);
  logits['b'] = -std::numeric_limits<float>::infinity();
  Spelling spelling("ab");
  EXPECT_FALSE(spelling.read(logits, tokenizer, trie));
  EXPECT_FALSE(spelling.impossible());
  EXPECT_FALSE(spelling.read(logits, tokenizer, trie));
  EXPECT_TRUE(spelling.impossible());
}

class Opening : public testing::Test {
 protected:
  static constexpr TokenId kPrint{263}, kPrintOpen{264}, kI{265}, kImport{266};
  const std::shared_ptr<const WordTokenizer> tokenizer_ =
      std::make_shared<WordTokenizer>(std::vector<std::string>{"print", "print(", "i", "import"});

  // What the model says after each text; <|endoftext|> after others.
  using Says = std::vector<std::pair<std::string, std::vector<std::pair<TokenId, float>>>>;
  std::shared_ptr<FakeRunner> runner(Says says) {
    FakeRunnerOptions options;
    options.vocabulary = tokenizer_->vocabulary();
    return std::make_shared<FakeRunner>(
        [says = std::move(says), tokenizer = tokenizer_](std::span<const TokenId> history) {
          std::vector<float> logits(tokenizer->vocabulary(), 0.0F);
          const auto found = std::ranges::find(says, tokenizer->decode(history), &Says::value_type::first);
          if (found == says.end()) {
            logits[static_cast<std::size_t>(ByteTokenizer::kEndOfText.value())] = 20;
          } else {
            for (const auto& [token, logit] : found->second) logits[static_cast<std::size_t>(token.value())] = logit;
          }
          return logits;
        },
        options);
  }
  EngineHarness over(std::shared_ptr<FakeRunner> runner) {
    return {std::move(runner), tokenizer_, {.threads = 0, .tokens_per_step = 16}};
  }
  [[nodiscard]] GenerationRequest request(std::string_view prompt, std::string opening) const {
    GenerationRequest request;
    request.prompt = tokenizer_->encode(prompt);
    request.opening = std::move(opening);
    request.stop_tokens = {ByteTokenizer::kEndOfText};
    request.session = "s";
    return request;
  }
  // Prefers to end, then "x"; of what begins with "pri", "print(" and then "print".
  [[nodiscard]] static Says printing() {
    return {{"a ", {{ByteTokenizer::kEndOfText, 20}, {byte_token('x'), 15}, {kPrintOpen, 12}, {kPrint, 10}}},
            {"a print(", {{byte_token('1'), 20}}}};
  }
};

TEST_F(Opening, IsEndedByATokenThatGoesOn) {
  EngineHarness harness = over(runner(printing()));
  const RequestId id = harness.submit(request("a ", "pri"));
  const GenerationResult result = harness.wait(id);
  EXPECT_EQ(result.text, "nt(1");
  EXPECT_THAT(result.tokens, testing::ElementsAre(kPrintOpen, byte_token('1')));
  EXPECT_THAT(harness.texts(id), testing::ElementsAre("nt(", "nt(1"));
  EXPECT_EQ(result.reason, FinishReason::kStopToken);
}

TEST_F(Opening, CostsTheFirstTokenNothing) {
  EngineHarness harness = over(runner(printing()));
  const GenerationResult result = harness.generate(request("a ", "pri"));
  // Of "print(" and "print" alone: whatever else the model would have liked is not the question.
  ASSERT_FALSE(result.logprobs.empty());
  EXPECT_NEAR(result.logprobs.front(), -std::log1p(std::exp(-2.0)), 1e-4);
}

TEST_F(Opening, BeginsSampledTextsToo) {
  EngineHarness harness = over(runner(printing()));
  std::size_t seen_open = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    GenerationRequest asked = request("a ", "pri");
    asked.sampling = {.temperature = 1, .seed = seed};
    asked.max_new_tokens = 1;
    const GenerationResult result = harness.generate(std::move(asked));
    ASSERT_TRUE(result.text == "nt" || result.text == "nt(") << result.text;
    seen_open += result.text == "nt(" ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(seen_open) / 200, 1 / (1 + std::exp(-2.0)), 0.06);
}

TEST_F(Opening, BeginsEveryLineOfABeamSearch) {
  const auto fake = runner(printing());
  EngineHarness harness = over(fake);
  GenerationRequest asked = request("a ", "pri");
  asked.beams = 3;
  asked.max_new_tokens = 2;
  const GenerationResult result = harness.generate(std::move(asked));
  ASSERT_GE(result.hypotheses.size(), 2U);
  EXPECT_EQ(result.hypotheses[0].text, "nt(1");
  for (const auto& each : result.hypotheses) EXPECT_TRUE(each.text.starts_with("nt")) << each.text;
  EXPECT_EQ(fake->broken_plans(), 0U);
}

// "i" is likely as a name of its own; that "m" follows it then is not.
TEST_F(Opening, IsNotMisledByALikelyFirstPart) {
  const auto fake = runner({{"a ", {{kI, 20}, {kImport, 10}, {byte_token('i'), -20}}},
                            {"a i", {{byte_token(' '), 30}, {byte_token('m'), 2}}},
                            {"a import", {{byte_token(' '), 20}}}});
  EngineHarness harness = over(fake);
  const GenerationResult result = harness.generate(request("a ", "im"));
  EXPECT_EQ(result.text, "port ");
  EXPECT_EQ(result.tokens.front(), kImport);
  EXPECT_EQ(fake->broken_plans(), 0U);
}

TEST_F(Opening, MayBeSpelledByTokensOfItsOwn) {
  const auto fake = runner({{"a ", {{kI, 20}}}, {"a i", {{byte_token('m'), 20}}}, {"a im", {{byte_token('x'), 20}}}});
  EngineHarness harness = over(fake);
  GenerationRequest asked = request("a ", "im");
  asked.max_new_tokens = 2;
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.text, "x");
  EXPECT_THAT(result.tokens, testing::ElementsAre(byte_token('m'), byte_token('x')));
  EXPECT_EQ(result.timings.prompt_tokens, 3U);  // with the "i"
  EXPECT_EQ(result.reason, FinishReason::kLength);
}

TEST_F(Opening, IsNotSeenByTheStopCondition) {
  class Watch final : public generation::StopCondition {
   public:
    explicit Watch(std::vector<std::string>* seen) : seen_(seen) {}
    [[nodiscard]] std::optional<std::size_t> check(std::string_view text) const override {
      seen_->emplace_back(text);
      return text.size() > 2 ? std::optional<std::size_t>(2) : std::nullopt;
    }

   private:
    std::vector<std::string>* seen_;
  };
  std::vector<std::string> seen;
  EngineHarness harness = over(runner(printing()));
  GenerationRequest asked = request("a ", "pri");
  asked.stop = std::make_unique<Watch>(&seen);
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.text, "nt");
  EXPECT_EQ(result.reason, FinishReason::kStopCondition);
  EXPECT_THAT(seen, testing::ElementsAre("nt("));
}

TEST_F(Opening, AnotherLetterOfAWordComputesNoPrompt) {
  EngineHarness harness = over(runner(printing()));
  harness.generate(request("a ", ""));
  // The last token of the prompt, and the letters as the tokenizer writes them: one step for all ways to go on.
  for (const std::string opening : {"pr", "pri", "prin"}) {
    const auto timings = harness.generate(request("a ", opening)).timings;
    EXPECT_EQ(timings.prefilled_tokens, opening.size());
    EXPECT_EQ(timings.cached_tokens, 1U);
    EXPECT_LE(timings.steps, timings.generated_tokens + 1);
  }
}

TEST_F(Opening, ThatNothingSpellsFailsTheRequest) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(
      [size = tokenizer_->vocabulary()](std::span<const TokenId>) {
        std::vector<float> logits(size, 0.0F);
        logits['q'] = -std::numeric_limits<float>::infinity();
        return logits;
      },
      FakeRunnerOptions{.vocabulary = tokenizer_->vocabulary()}));
  const GenerationResult result = harness.generate(request("a ", "iq"));
  EXPECT_EQ(result.reason, FinishReason::kFailed);
  EXPECT_EQ(result.error, "no tokens of the vocabulary spell the opening 'iq'");
}

TEST_F(Opening, IsRefusedBeforeForcedTokensAndWhereThereIsNoRoom) {
  EngineHarness harness = over(runner({}));
  GenerationRequest forced = request("a ", "im");
  forced.forced = tokenizer_->encode("x");
  EXPECT_EQ(harness.generate(std::move(forced)).error, "1 tokens are forced after an opening of 2 bytes");
  EXPECT_EQ(harness.generate(request("a ", std::string(4095, 'x'))).error,
            "the prompt has 2 tokens and the opening 4095 bytes: the model takes 4096 tokens");
}

}  // namespace
}  // namespace weft::test
