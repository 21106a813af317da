// EngineContract, what was computed before: by the same session, by another, by a guess. Included beside
// engine_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/generation/engine_fixture.h"

namespace weft::test {

TEST_P(EngineContract, ASessionPaysOnlyForWhatIsNew) {
  EngineHarness harness = make();
  const GenerationResult first = harness.generate(request(prompt(), "s"));
  // Taken over as generated, and something typed behind it.
  std::vector<TokenId> longer = prompt();
  longer.insert(longer.end(), first.tokens.begin(), first.tokens.end());
  const std::vector<TokenId> typed = encode("\n\nprint");
  longer.insert(longer.end(), typed.begin(), typed.end());
  const GenerationResult second = harness.generate(request(longer, "s"));
  EXPECT_EQ(second.timings.prefilled_tokens, 1 + typed.size());  // 1: the last generated token was never run
  EXPECT_EQ(second.tokens, greedy(longer));
  // The same again: only the last token, for its logits.
  const GenerationResult third = harness.generate(request(longer, "s"));
  EXPECT_EQ(third.timings.prefilled_tokens, 1U);
  EXPECT_EQ(third.tokens, second.tokens);
  // Back to a shorter text that goes on differently.
  std::vector<TokenId> shorter = prompt();
  shorter.resize(shorter.size() - 2);
  const std::vector<TokenId> other = encode("zzz");
  shorter.insert(shorter.end(), other.begin(), other.end());
  const GenerationResult fourth = harness.generate(request(shorter, "s"));
  const std::size_t agreeing = static_cast<std::size_t>(std::ranges::mismatch(shorter, longer).in1 - shorter.begin());
  EXPECT_EQ(fourth.timings.prefilled_tokens, shorter.size() - agreeing);
  EXPECT_EQ(fourth.tokens, greedy(shorter));
}

TEST_P(EngineContract, WhatOneSessionComputedServesTheOthers) {
  EngineHarness harness = make();
  harness.generate(request(prompt(), "s"));
  const GenerationResult other = harness.generate(request(prompt(), "t"));
  EXPECT_EQ(other.timings.prefilled_tokens, 1U);
  EXPECT_EQ(other.timings.cached_tokens, prompt().size() - 1);
  EXPECT_EQ(other.tokens, greedy(prompt()));
  EXPECT_EQ(harness.generate(request(prompt())).timings.prefilled_tokens, 1U);
}

// Whatever else the step has room for: the same prompt is computed once.
TEST_P(EngineContract, TheSamePromptOfSeveralIsComputedOnce) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  std::vector<RequestId> ids;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    GenerationRequest asked = request(prompt());
    asked.sampling = {.temperature = 0.9, .seed = seed};
    asked.speculate = false;
    ids.push_back(harness.submit(std::move(asked)));
  }
  harness.runner().gate().open();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(harness.wait(ids[i]).timings.prefilled_tokens, i == 0 ? prompt().size() : 1U) << i;
  }
  EXPECT_EQ(harness.runner().tokens(), prompt().size() + 2 + 3 * (kNewTokens - 1));
}

TEST_P(EngineContract, WhoComesLaterSharesThePromptOfOneThatStillRuns) {
  EngineOptions two_at_a_time = options();
  two_at_a_time.sequences_per_step = 2;
  EngineHarness harness = make(two_at_a_time);
  GenerationRequest slow = request(prompt());
  slow.max_new_tokens = 60;
  slow.speculate = false;
  harness.runner().gate().close();
  const RequestId first = harness.submit(std::move(slow));
  const std::size_t prompt_steps = (prompt().size() + kTokensPerStep - 1) / kTokensPerStep;
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(prompt_steps + 3);
    harness.wait_until_held();
  } else {
    harness.runner().gate().open();
    for (std::size_t i = 0; i < prompt_steps + 3; ++i) harness.engine().poll();
  }
  const RequestId second = harness.submit(request(prompt()));
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(second).timings.prefilled_tokens, 1U);
  EXPECT_EQ(harness.wait(second).tokens, greedy(prompt()));
  EXPECT_EQ(harness.wait(first).tokens, greedy(prompt(), 60));
  EXPECT_THAT(harness.finished(), testing::ElementsAre(second, first));
}

// Several that ask for the same wait for the first one's prompt, not for its end.
TEST_P(EngineContract, WhoBeginsAlikeSharesThePromptOfOneThatStillRuns) {
  EngineOptions one_at_a_time = options();
  one_at_a_time.sequences_per_step = 1;
  one_at_a_time.tokens_per_step = prompt().size();
  EngineHarness harness = make(one_at_a_time);
  harness.runner().gate().close();
  const RequestId first = harness.submit(request(prompt()));
  const RequestId second = harness.submit(request(prompt()));
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(second).timings.prefilled_tokens, 1U);
  EXPECT_EQ(harness.wait(first).tokens, greedy(prompt()));
  EXPECT_EQ(harness.wait(second).tokens, greedy(prompt()));
}

TEST_P(EngineContract, GuessesChangeNothingButTheStepsThatItTakes) {
  const auto asked = [](std::vector<TokenId> text, double temperature, bool speculate) {
    GenerationRequest out = request(std::move(text));
    out.max_new_tokens = 40;
    out.sampling = {.temperature = temperature, .seed = 3};
    out.speculate = speculate;
    return out;
  };
  for (const char* text : {"a = [1, 1, 1, 1, 1, 1, 1,", "for x in y:\n    x = x\n    x = x\n    x ="}) {
    for (const double temperature : {0.0, 0.8}) {
      EngineHarness with = make(), without = make();
      const GenerationResult guessed = with.generate(asked(encode(text), temperature, true));
      const GenerationResult plain = without.generate(asked(encode(text), temperature, false));
      EXPECT_EQ(guessed.tokens, plain.tokens);
      EXPECT_EQ(guessed.text, plain.text);
      EXPECT_EQ(guessed.reason, plain.reason);
      for (std::size_t i = 0; i < plain.logprobs.size(); ++i) {
        EXPECT_NEAR(guessed.logprobs[i], plain.logprobs[i], 1e-4);
      }
      EXPECT_EQ(plain.timings.drafted_tokens, 0U);
      // Each token once, and those that were guessed wrongly.
      const std::size_t wrong = guessed.timings.drafted_tokens - guessed.timings.accepted_tokens;
      EXPECT_EQ(with.runner().tokens(), without.runner().tokens() + wrong);
      EXPECT_EQ(guessed.timings.steps + guessed.timings.accepted_tokens, plain.timings.steps);
    }
  }
}

TEST_P(EngineContract, WhatACancelledRequestComputedIsReused) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  const std::vector<TokenId> long_prompt = encode(std::string(160, '['));
  const RequestId id = harness.submit(request(long_prompt, "s"));
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(1);
    harness.wait_until_held();
  } else {
    harness.runner().gate().open();
    harness.engine().poll();
    harness.engine().poll();
  }
  harness.cancel(id);
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(id).reason, FinishReason::kCancelled);
  const std::size_t computed = harness.runner().tokens();
  ASSERT_GT(computed, 0U);
  const GenerationResult next = harness.generate(request(long_prompt, "s"));
  EXPECT_EQ(next.timings.prefilled_tokens, long_prompt.size() - computed);
  EXPECT_EQ(next.tokens, greedy(long_prompt));
}

}  // namespace weft::test
