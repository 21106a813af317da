// The engine over FakeRunner: its contract, and what only a fake can show.
#include "generation/engine.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_runner.h"
#include "tests/unit/generation/engine_contract.h"
#include "tests/unit/generation/engine_contract_lines.h"
#include "tests/unit/generation/engine_contract_reuse.h"
#include "tests/unit/generation/engine_over_fake.h"
#include "tests/unit/generation/runner_contract.h"

namespace weft::test {
namespace {

std::shared_ptr<const model::LoraAdapter> adapter(std::string name, std::vector<model::LoraDelta> deltas = {}) {
  return std::make_shared<const model::LoraAdapter>(model::LoraAdapter{std::move(name), std::move(deltas)});
}

std::shared_ptr<FakeRunner> fake_runner() {
  FakeRunnerOptions options;
  options.adapter_scripts = {{"one", hashed_script(ByteTokenizer::kVocabulary, 1)},
                             {"other", hashed_script(ByteTokenizer::kVocabulary, 2)}};
  options.missing_module = kForeignModule;
  return std::make_shared<FakeRunner>(hashed_script(), std::move(options));
}

EngineModel fake_model() {
  return {"Fake",         fake_runner,      std::make_shared<ByteTokenizer>(),
          adapter("one"), adapter("other"), adapter("foreign", {{.module = kForeignModule, .a = {}, .b = {}}})};
}

INSTANTIATE_TEST_SUITE_P(Fake, EngineContract, testing::ValuesIn(engine_cases(fake_model())), engine_case_name);
INSTANTIATE_TEST_SUITE_P(Fake, RunnerContract, testing::Values(fake_model()));

TEST_F(EngineOverFake, WritesTheTextThatTheModelKnows) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(by_heart_script("import os\nimport sys\n")));
  const GenerationResult result = harness.generate(request("import os\nimp"));
  EXPECT_EQ(result.text, "ort sys\n");
  EXPECT_EQ(result.reason, FinishReason::kStopToken);
}

TEST_F(EngineOverFake, CharactersSplitOverTokensAreShownWhole) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(by_heart_script("s = 'żółw 🐢'\n")));
  const RequestId id = harness.submit(request("s = '"));
  EXPECT_EQ(harness.wait(id).text, "żółw 🐢'\n");
  EXPECT_THAT(harness.texts(id),
              testing::ElementsAre("ż", "żó", "żół", "żółw", "żółw ", "żółw 🐢", "żółw 🐢'", "żółw 🐢'\n"));
}

TEST_F(EngineOverFake, AnUnfinishedCharacterAtTheEndIsLeftOut) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(by_heart_script("= 🐢")));
  GenerationRequest asked = request("=");
  asked.max_new_tokens = 3;  // a blank and half a turtle
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.text, " ");
  EXPECT_EQ(result.tokens.size(), 3U);
}

TEST_F(EngineOverFake, BytesThatAreNoCharacterAreReplaced) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(by_heart_script("= \xFF\xE2\x82(\xC3")));
  EXPECT_EQ(harness.generate(request("=")).text, " \uFFFD\uFFFD\uFFFD(");
}

TEST_F(EngineOverFake, StopsWhereTheModelHasNoMorePositions) {
  FakeRunnerOptions small;
  small.max_positions = 8;
  const auto runner = std::make_shared<FakeRunner>(by_heart_script("0123456789abcdef"), small);
  EngineHarness harness = over(runner);
  const GenerationResult result = harness.generate(request("01234"));
  EXPECT_EQ(result.reason, FinishReason::kLength);
  EXPECT_EQ(result.text, "5678");  // eight positions hold up to the 7; what follows it needs none
  EXPECT_EQ(harness.generate(request("01234567")).text, "8");
  EXPECT_EQ(runner->broken_plans(), 0U);
}

TEST_F(EngineOverFake, WhatIsKnownByHeartTakesFewSteps) {
  std::string text = "def area(width, height):\n    return width * height\n\n\n";
  text += text + text;
  const auto runner = std::make_shared<FakeRunner>(by_heart_script(text));
  EngineHarness harness = over(runner);
  GenerationRequest asked = request(text.substr(0, text.size() / 2));
  asked.max_new_tokens = 60;
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.tokens.size(), 60U);
  EXPECT_LT(result.timings.steps, 30U);
  // Each token once, and those that were guessed wrongly.
  const std::size_t wrong = result.timings.drafted_tokens - result.timings.accepted_tokens;
  EXPECT_EQ(runner->tokens_computed(), text.size() / 2 + 59 + wrong);
  EXPECT_EQ(harness.engine().metrics().accepted_tokens, result.timings.accepted_tokens);
}

TEST_F(EngineOverFake, MetricsAddUp) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(hashed_script()));
  const auto asked = [this] {
    GenerationRequest out = request("some text");
    out.max_new_tokens = 5;
    return out;
  };
  harness.generate(asked());
  harness.generate(asked());
  const RequestId cancelled = harness.submit(asked());
  harness.engine().poll();
  harness.cancel(cancelled);
  harness.wait(cancelled);
  GenerationRequest none;
  harness.generate(std::move(none));
  const generation::EngineMetrics metrics = harness.engine().metrics();
  EXPECT_EQ(metrics.requests_finished, 2U);
  EXPECT_EQ(metrics.requests_cancelled, 1U);
  EXPECT_EQ(metrics.requests_failed, 1U);
  EXPECT_EQ(metrics.requests_running, 0U);
  EXPECT_EQ(metrics.prompt_tokens, 27U);
  EXPECT_EQ(metrics.prefilled_tokens, 9U + 1U + 1U);
  EXPECT_EQ(metrics.cached_tokens, 8U + 8U);
  EXPECT_EQ(metrics.generated_tokens - metrics.wasted_tokens, 10U);
  EXPECT_EQ(metrics.cache_tokens, 9U + 4U);
}

TEST_F(EngineOverFake, LeavesNothingInTheRunner) {
  const auto runner = std::make_shared<FakeRunner>(hashed_script());
  {
    EngineHarness harness = over(runner);
    harness.generate(request("finished", "s"));
    harness.submit(request("unfinished", "t"));
    harness.engine().poll();
    EXPECT_GT(runner->sequences_held(), 0U);
  }
  EXPECT_EQ(runner->sequences_held(), 0U);
}

TEST_F(EngineOverFake, AFailedRequestLeavesNothingInTheRunner) {
  const auto runner = std::make_shared<FakeRunner>(hashed_script());
  EngineHarness harness = over(runner);
  harness.generate(request("text", "s"));
  harness.runner().fail_at(harness.runner().steps());
  EXPECT_EQ(harness.generate(request("text", "s")).reason, FinishReason::kFailed);
  harness.engine().poll();
  EXPECT_EQ(runner->sequences_held(), 0U);
}

TEST_F(EngineOverFake, CancelledDuringItsLastStepItShowsNothingOfIt) {
  EngineHarness* running = nullptr;
  const RequestId id(1);
  const auto runner = std::make_shared<FakeRunner>([&](std::span<const TokenId> history) {
    running->cancel(id);
    return by_heart_script("ab")(history);
  });
  EngineHarness harness = over(runner);
  running = &harness;
  GenerationRequest asked = request("a");
  asked.max_new_tokens = 1;
  ASSERT_EQ(harness.submit(std::move(asked)), id);
  const GenerationResult result = harness.wait(id);
  EXPECT_EQ(result.reason, FinishReason::kCancelled);
  EXPECT_EQ(result.text, "");
  EXPECT_TRUE(harness.texts(id).empty());
}

TEST_F(EngineOverFake, TwoRequestsOfOneSessionDoNotShareASequence) {
  const auto runner = std::make_shared<FakeRunner>(by_heart_script("def f():\n    pass\n"));
  EngineHarness harness = over(runner);
  GenerationRequest slow = request("def f", "s");
  slow.request_class = RequestClass::kBackground;
  const RequestId background = harness.submit(std::move(slow));
  for (int i = 0; i < 3; ++i) harness.engine().poll();  // overtaken in the middle of its text
  EXPECT_EQ(harness.generate(request("def f():\n    p", "s")).text, "ass\n");
  EXPECT_EQ(harness.wait(background).text, "():\n    pass\n");
  EXPECT_EQ(runner->sequences_held(), 1U);
  EXPECT_EQ(runner->broken_plans(), 0U);
}

TEST_F(EngineOverFake, ARemovedAdapterLeavesTheRunnerWithItsLastRequest) {
  const auto runner = fake_runner();
  EngineHarness harness = over(runner);
  const auto id = harness.install(adapter("one"));
  ASSERT_TRUE(id);
  GenerationRequest asked = request("text", "s");
  asked.adapter = *id;
  asked.max_new_tokens = 8;
  const RequestId running = harness.submit(std::move(asked));
  harness.engine().poll();
  harness.engine().remove_adapter(*id);
  harness.engine().poll();
  EXPECT_THAT(runner->adapters(), testing::ElementsAre("one"));
  EXPECT_NE(harness.wait(running).reason, FinishReason::kFailed);
  EXPECT_TRUE(runner->adapters().empty());
  EXPECT_EQ(runner->sequences_held(), 0U);
  EXPECT_EQ(runner->broken_plans(), 0U);
}

TEST_F(EngineOverFake, AnEngineTakesItsAdaptersAlong) {
  const auto runner = fake_runner();
  {
    EngineHarness harness = over(runner);
    ASSERT_TRUE(harness.install(adapter("one")));
    ASSERT_TRUE(harness.install(adapter("other")));
    EXPECT_EQ(runner->adapters().size(), 2U);
  }
  EXPECT_TRUE(runner->adapters().empty());
}

TEST_F(EngineOverFake, ACancelledBeamSearchLeavesItsPromptAlone) {
  const auto runner = fake_runner();
  EngineHarness harness = over(runner);
  GenerationRequest asked = request("text", "s");
  asked.beams = 8;
  const RequestId id = harness.submit(std::move(asked));
  for (int i = 0; i < 6; ++i) harness.engine().poll();
  EXPECT_GT(runner->sequences_held(), 1U);
  harness.cancel(id);
  EXPECT_EQ(harness.wait(id).reason, FinishReason::kCancelled);
  while (harness.engine().poll()) {
  }
  EXPECT_EQ(runner->sequences_held(), 1U);
  EXPECT_EQ(harness.generate(request("text", "s")).timings.prefilled_tokens, 1U);
  EXPECT_EQ(runner->broken_plans(), 0U);
}

TEST_F(EngineOverFake, LogitsThatAreNoNumbersFailTheRequest) {
  const auto runner = std::make_shared<FakeRunner>([](std::span<const TokenId>) {
    return std::vector<float>(ByteTokenizer::kVocabulary, std::numeric_limits<float>::quiet_NaN());
  });
  EngineHarness harness = over(runner);
  const GenerationResult result = harness.generate(request("text", "s"));
  EXPECT_EQ(result.reason, FinishReason::kFailed);
  EXPECT_EQ(result.error, "the model gave no finite logits after 4 tokens");
}

// As in published checkpoints: logits of more ids than the tokenizer has.
TEST_F(EngineOverFake, WhatTheTokenizerCannotWriteIsNeverGenerated) {
  constexpr std::size_t kPadded = ByteTokenizer::kVocabulary + 40;
  FakeRunnerOptions options;
  options.vocabulary = kPadded;
  const auto runner = std::make_shared<FakeRunner>(
      [](std::span<const TokenId> history) {
        std::vector<float> logits = hashed_script()(history);
        logits.resize(kPadded, 50.0F);
        return logits;
      },
      options);
  EngineHarness padded = over(runner), plain = over(std::make_shared<FakeRunner>(hashed_script()));
  for (const std::size_t beams : {1U, 5U}) {
    for (const double temperature : {0.0, 1.5}) {
      const auto asked = [&] {
        GenerationRequest asked = request("some text");
        asked.max_new_tokens = 20;
        asked.beams = beams;
        asked.sampling.temperature = temperature;
        return asked;
      };
      const GenerationResult result = padded.generate(asked()), expected = plain.generate(asked());
      EXPECT_EQ(result.tokens, expected.tokens);
      EXPECT_EQ(result.logprobs, expected.logprobs);
      EXPECT_EQ(result.hypotheses.size(), expected.hypotheses.size());
    }
  }
  GenerationRequest forced = request("some text");
  forced.forced = {TokenId(ByteTokenizer::kVocabulary)};
  EXPECT_EQ(padded.generate(std::move(forced)).error, "forced token 263 is outside of the vocabulary of 263");
}

TEST_F(EngineOverFake, TimesAreThoseOfTheClock) {
  using std::chrono::milliseconds;
  EngineHarness* running = nullptr;
  const auto runner = std::make_shared<FakeRunner>([&running](std::span<const TokenId> history) {
    running->clock().advance(milliseconds(history.size() == 4 ? 20 : 3));
    return by_heart_script("abcd123")(history);
  });
  EngineHarness harness = over(runner);
  running = &harness;
  const RequestId id = harness.submit(request("abcd"));
  harness.clock().advance(milliseconds(5));
  const GenerationResult result = harness.wait(id);
  EXPECT_EQ(result.text, "123");
  EXPECT_DOUBLE_EQ(result.timings.queue_ms, 5);
  EXPECT_DOUBLE_EQ(result.timings.prefill_ms, 20);
  EXPECT_DOUBLE_EQ(result.timings.decode_ms, 9);
}

TEST_F(EngineOverFake, TheMeanIsOfTheGeneratedTokensLogProbabilities) {
  EngineHarness harness = over(std::make_shared<FakeRunner>(by_heart_script("ab")));
  const GenerationResult result = harness.generate(request("a"));
  // by_heart gives one logit of 10 and else 0.
  const double chosen = 10 - std::log(std::exp(10.0) + static_cast<double>(ByteTokenizer::kVocabulary - 1));
  EXPECT_NEAR(result.mean_logprob, chosen, 1e-6);
}

}  // namespace
}  // namespace weft::test
