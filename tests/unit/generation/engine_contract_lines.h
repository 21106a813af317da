// EngineContract, second part: adapters, forced tokens, log-probabilities and beam search.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "generation/beam_search.h"
#include "tests/unit/generation/engine_fixture.h"

namespace weft::test {

inline GenerationRequest adapted(GenerationRequest request, AdapterId adapter) {
  request.adapter = adapter;
  return request;
}

inline GenerationRequest searched(GenerationRequest request, std::size_t beams) {
  request.beams = beams;
  return request;
}

TEST_P(EngineContract, AnAdapterSpeaksForTheRequestsThatNameIt) {
  EngineHarness harness = make();
  const auto one = harness.install(GetParam().model.adapter), other = harness.install(GetParam().model.other_adapter);
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other);
  const RequestId base_id = harness.submit(request(prompt()));
  const RequestId one_id = harness.submit(adapted(request(prompt()), *one));
  const RequestId other_id = harness.submit(adapted(request(prompt()), *other));
  EXPECT_EQ(harness.wait(base_id).tokens, greedy(prompt()));
  EXPECT_EQ(harness.wait(one_id).tokens, greedy(prompt(), kNewTokens, GetParam().model.adapter));
  EXPECT_EQ(harness.wait(other_id).tokens, greedy(prompt(), kNewTokens, GetParam().model.other_adapter));
  EXPECT_NE(harness.wait(one_id).tokens, harness.wait(base_id).tokens);
}

TEST_P(EngineContract, AnAdapterThatTheModelRefusesIsNotInstalled) {
  EngineHarness harness = make();
  const auto refused = harness.install(GetParam().model.foreign_adapter);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr(kForeignModule));
  const GenerationResult result = harness.generate(adapted(request(prompt()), AdapterId(1)));
  EXPECT_EQ(result.reason, FinishReason::kFailed);
  EXPECT_EQ(result.error, "adapter 1 is not installed");
  EXPECT_EQ(harness.generate(request(prompt())).tokens, greedy(prompt()));
}

TEST_P(EngineContract, ASessionsKvIsOfOneAdapter) {
  EngineHarness harness = make();
  const auto one = harness.install(GetParam().model.adapter);
  ASSERT_TRUE(one);
  const auto prefilled = [&](AdapterId adapter) {
    return harness.generate(adapted(request(prompt(), "s"), adapter)).timings.prefilled_tokens;
  };
  EXPECT_EQ(prefilled(AdapterId()), prompt().size());
  EXPECT_EQ(prefilled(*one), prompt().size());
  EXPECT_EQ(prefilled(AdapterId()), 1U);
  EXPECT_EQ(prefilled(*one), 1U);
}

TEST_P(EngineContract, ARemovedAdapterServesWhoHasItAndNobodyElse) {
  EngineHarness harness = make();
  const auto one = harness.install(GetParam().model.adapter);
  ASSERT_TRUE(one);
  harness.runner().gate().close();
  const RequestId first = harness.submit(adapted(request(prompt(), "s"), *one));
  harness.wait_until_held();
  const RequestId second = harness.submit(adapted(request(prompt(), "s"), *one));
  harness.engine().remove_adapter(*one);
  const RequestId third = harness.submit(adapted(request(prompt(), "s"), *one));
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(third).error, "adapter 1 is not installed");
  EXPECT_EQ(harness.wait(first).tokens, greedy(prompt(), kNewTokens, GetParam().model.adapter));
  EXPECT_EQ(harness.wait(second).tokens, harness.wait(first).tokens);
  const auto again = harness.install(GetParam().model.adapter);
  ASSERT_TRUE(again);
  EXPECT_NE(*again, *one);
  EXPECT_EQ(harness.generate(adapted(request(prompt(), "s"), *again)).timings.prefilled_tokens, prompt().size());
}

TEST_P(EngineContract, AnInstallationIsAnsweredOnceWhenTheEngineEnds) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  harness.submit(request(prompt()));
  harness.wait_until_held();
  std::atomic<int> answers = 0;
  for (int i = 0; i < 3; ++i) {
    harness.engine().install_adapter(GetParam().model.adapter, [&](const Expected<AdapterId>&) { ++answers; });
  }
  std::thread opener([&] { harness.runner().gate().open(); });
  harness.destroy_engine();
  opener.join();
  EXPECT_EQ(answers, 3);
}

TEST_P(EngineContract, LogProbabilitiesAreOfEachToken) {
  EngineHarness harness = make();
  const GenerationResult result = harness.generate(request(prompt()));
  EXPECT_THAT(result.logprobs, testing::Pointwise(testing::DoubleNear(1e-4), logprobs(prompt(), result.tokens)));
  const double sum = std::accumulate(result.logprobs.begin(), result.logprobs.end(), 0.0);
  EXPECT_NEAR(result.mean_logprob, sum / kNewTokens, 1e-9);
}

TEST_P(EngineContract, ForcedTokensComeFirstWhateverTheModelPrefers) {
  EngineHarness harness = make();
  GenerationRequest asked = request(prompt());
  asked.forced = encode("xyz");
  const RequestId id = harness.submit(std::move(asked));
  const GenerationResult result = harness.wait(id);
  std::vector<TokenId> expected = encode("xyz"), longer = prompt();
  longer.insert(longer.end(), expected.begin(), expected.end());
  for (const TokenId token : greedy(longer, kNewTokens - 3)) expected.push_back(token);
  EXPECT_EQ(result.tokens, expected);
  EXPECT_THAT(result.logprobs, testing::Pointwise(testing::DoubleNear(1e-4), logprobs(prompt(), expected)));
  EXPECT_TRUE(result.text.starts_with("xyz"));
  EXPECT_EQ(harness.texts(id).front(), "x");
}

TEST_P(EngineContract, NothingEndsForcedTokens) {
  EngineHarness harness = make();
  GenerationRequest asked = request(prompt());
  asked.forced = encode("xyz");
  asked.stop_tokens = encode("y");
  asked.stop = std::make_unique<KeepBytes>(2, 1);  // content from the second byte on
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_GE(result.tokens.size(), 4U);
  EXPECT_EQ(result.reason, FinishReason::kStopCondition);
  EXPECT_EQ(result.text, "x");
}

TEST_P(EngineContract, WhatCannotBeForcedOrSearchedFails) {
  EngineHarness harness = make();
  const auto error_of = [&](std::vector<TokenId> forced, std::size_t beams, std::size_t most) {
    GenerationRequest asked = searched(request(prompt()), beams);
    asked.forced = std::move(forced);
    asked.max_new_tokens = most;
    return harness.generate(std::move(asked)).error;
  };
  const auto foreign = static_cast<std::int32_t>(harness.engine().model_info().vocabulary);
  EXPECT_EQ(error_of(encode("xyz"), 1, 2), "3 tokens are forced where at most 2 are generated");
  EXPECT_THAT(error_of({TokenId(foreign)}, 1, 2), testing::HasSubstr("forced token"));
  EXPECT_EQ(error_of({}, 9, 2), "a beam search has 1 to 8 beams, not 9");
  EXPECT_EQ(error_of({}, 0, 2), "a beam search has 1 to 8 beams, not 0");
  EXPECT_EQ(harness.runner().steps(), 0U);
}

TEST_P(EngineContract, HypothesesAreWhatTheModelSaysOfThemBestFirst) {
  EngineHarness harness = make();
  const RequestId id = harness.submit(searched(request(prompt()), 4));
  const GenerationResult result = harness.wait(id);
  EXPECT_EQ(result.reason, FinishReason::kLength) << result.error;
  ASSERT_EQ(result.hypotheses.size(), 4U);
  for (std::size_t i = 0; i < result.hypotheses.size(); ++i) {
    const generation::Hypothesis& each = result.hypotheses[i];
    const std::vector<double> costs = logprobs(prompt(), each.tokens);
    const double sum = std::accumulate(costs.begin(), costs.end(), 0.0);
    EXPECT_EQ(each.tokens.size(), kNewTokens);
    EXPECT_NEAR(each.score, generation::length_normalised(sum, kNewTokens), 1e-4) << i;
    if (i > 0) {
      EXPECT_LE(each.score, result.hypotheses[i - 1].score);
      EXPECT_NE(each.tokens, result.hypotheses[i - 1].tokens);
    }
  }
  EXPECT_EQ(result.tokens, result.hypotheses.front().tokens);
  EXPECT_EQ(result.text, result.hypotheses.front().text);
  EXPECT_EQ(result.logprobs.size(), kNewTokens);
  EXPECT_TRUE(harness.texts(id).empty());
  EXPECT_EQ(harness.generate(searched(request(prompt()), 4)).tokens, result.tokens);
}

TEST_P(EngineContract, ABeamSearchSharesItsPromptAndItsSteps) {
  EngineHarness harness = make();
  const GenerationResult result = harness.generate(searched(request(prompt(), "s"), 4));
  const std::size_t prefill_steps = (prompt().size() + kTokensPerStep - 1) / kTokensPerStep;
  EXPECT_EQ(harness.runner().steps(), prefill_steps + kNewTokens - 1);
  EXPECT_EQ(harness.runner().tokens(), prompt().size() + 4 * (kNewTokens - 1));
  EXPECT_EQ(harness.generate(request(prompt(), "s")).timings.prefilled_tokens, 1U);
  EXPECT_EQ(result.timings.prefilled_tokens, prompt().size());
}

TEST_P(EngineContract, ABeamSearchIsItsOwnAmongOthersAndUnderAnAdapter) {
  EngineHarness harness = make();
  const auto one = harness.install(GetParam().model.adapter);
  ASSERT_TRUE(one);
  const auto alone = harness.generate(searched(request(prompt()), 3));
  const auto adapted_alone = harness.generate(adapted(searched(request(prompt()), 8), *one));
  const RequestId greedy_id = harness.submit(request(encode("x = ")));
  const RequestId id = harness.submit(searched(request(prompt()), 3));
  const RequestId adapted_id = harness.submit(adapted(searched(request(prompt()), 8), *one));
  EXPECT_EQ(harness.wait(id).tokens, alone.tokens);
  EXPECT_EQ(harness.wait(adapted_id).tokens, adapted_alone.tokens);
  EXPECT_NE(adapted_alone.tokens, alone.tokens);
  EXPECT_EQ(harness.wait(greedy_id).tokens, greedy(encode("x = ")));
}

TEST_P(EngineContract, ForcedTokensBeginEveryHypothesis) {
  EngineHarness harness = make();
  GenerationRequest asked = searched(request(prompt()), 3);
  asked.forced = encode("ab");
  const GenerationResult result = harness.generate(std::move(asked));
  ASSERT_EQ(result.hypotheses.size(), 3U);
  for (const generation::Hypothesis& each : result.hypotheses) EXPECT_TRUE(each.text.starts_with("ab"));
}

TEST_P(EngineContract, ACancelledOrFailedBeamSearchEndsAndTheNextIsServed) {
  EngineHarness harness = make();
  const auto expected = harness.generate(searched(request(prompt()), 4));
  const std::size_t before = harness.runner().steps();
  harness.generate(searched(request(prompt()), 4));
  const std::size_t steps = harness.runner().steps() - before;  // without those of the prompt
  harness.runner().gate().close();
  const RequestId id = harness.submit(searched(request(prompt(), "s"), 4));
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(steps - 4);
    harness.wait_until_held();
  } else {
    harness.runner().gate().open();
    for (std::size_t i = 0; i < steps - 4; ++i) harness.engine().poll();
  }
  harness.cancel(id);
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(id).reason, FinishReason::kCancelled);
  harness.runner().fail_at(harness.runner().steps() + 5);
  EXPECT_EQ(harness.generate(searched(request(prompt(), "s"), 4)).reason, FinishReason::kFailed);
  EXPECT_EQ(harness.generate(searched(request(prompt(), "s"), 4)).tokens, expected.tokens);
}

}  // namespace weft::test
