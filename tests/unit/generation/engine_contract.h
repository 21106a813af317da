// EngineContract: what an engine promises over any ModelRunner. Included by one test program a runner, which names its
// cases: INSTANTIATE_TEST_SUITE_P(Fake, EngineContract, testing::ValuesIn(engine_cases(...)), engine_case_name).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "model/base/utf8.h"
#include "tests/unit/generation/engine_fixture.h"

namespace weft::test {

TEST_P(EngineContract, GivesTheTokensOfGreedyDecoding) {
  EngineHarness harness = make();
  GenerationRequest asked = request(prompt());
  asked.speculate = false;
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.reason, FinishReason::kLength) << result.error;
  EXPECT_EQ(result.tokens, greedy(prompt()));
  EXPECT_LT(result.mean_logprob, 0);
  EXPECT_EQ(result.timings.prompt_tokens, prompt().size());
  EXPECT_EQ(result.timings.prefilled_tokens, prompt().size());
  EXPECT_EQ(result.timings.generated_tokens, kNewTokens);
  EXPECT_EQ(harness.runner().tokens(), prompt().size() + kNewTokens - 1);  // the last one is not run
  EXPECT_LE(harness.runner().most_tokens_in_step(), kTokensPerStep);
}

TEST_P(EngineContract, TextGrowsByWholeCharactersAndEndsAsTheResult) {
  EngineHarness harness = make();
  GenerationRequest asked = request(prompt());
  asked.max_new_tokens = 40;
  const RequestId id = harness.submit(std::move(asked));
  const GenerationResult result = harness.wait(id);
  const std::vector<std::string> texts = harness.texts(id);
  ASSERT_FALSE(texts.empty());
  std::string before;
  for (const std::string& text : texts) {
    EXPECT_TRUE(is_valid_utf8(text));
    EXPECT_GT(text.size(), before.size());
    EXPECT_TRUE(text.starts_with(before));
    before = text;
  }
  EXPECT_EQ(before, result.text);
}

TEST_P(EngineContract, ManyRequestsAtOnceGiveWhatEachGivesAlone) {
  EngineHarness harness = make();
  std::vector<RequestId> ids;
  std::vector<std::vector<TokenId>> prompts;
  for (int i = 0; i < 7; ++i) {
    prompts.push_back(
        encode("value_" + std::to_string(i) + " = [" + std::string(static_cast<std::size_t>(i) * 5, ' ')));
    GenerationRequest asked = request(prompts.back());
    asked.request_class = static_cast<RequestClass>(i % 3);
    ids.push_back(harness.submit(std::move(asked)));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(harness.wait(ids[i]).tokens, greedy(prompts[i])) << i;
}

TEST_P(EngineContract, EveryRequestEndsExactlyOnceWhoeverSubmitsAndCancels) {
  EngineOptions roomy = options();
  roomy.queue_limit = 1000;
  EngineHarness harness = make(roomy);
  constexpr std::size_t kThreads = 4, kEach = 12;
  std::vector<std::vector<RequestId>> ids(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kEach; ++i) {
        GenerationRequest asked = request(prompt(), "session " + std::to_string(i % 3));
        asked.max_new_tokens = i % 5;
        ids[t].push_back(harness.submit(std::move(asked)));
        if (i % 2 == 0) harness.cancel(ids[t].back());
        if (i % 3 == 0) harness.cancel(ids[t].front());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<RequestId> all;
  for (const auto& of_thread : ids) {
    for (const RequestId id : of_thread) {
      harness.wait(id);
      all.insert(id);
    }
  }
  harness.destroy_engine();
  EXPECT_EQ(all.size(), kThreads * kEach);
  EXPECT_EQ(harness.finished().size(), kThreads * kEach);
  for (const RequestId id : all) EXPECT_EQ(harness.final_events(id), 1U);
}

TEST_P(EngineContract, CancelledBeforeItsFirstStepNothingIsComputed) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  GenerationRequest plain = request(encode("first"));
  plain.speculate = false;
  const RequestId first = harness.submit(std::move(plain));
  harness.wait_until_held();
  const RequestId second = harness.submit(request(encode("second")));
  harness.cancel(second);
  harness.runner().gate().open();
  const GenerationResult result = harness.wait(second);
  EXPECT_EQ(result.reason, FinishReason::kCancelled);
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.timings.prefilled_tokens, 0U);
  EXPECT_EQ(harness.wait(first).reason, FinishReason::kLength);
  EXPECT_EQ(harness.runner().tokens(), encode("first").size() + kNewTokens - 1);
}

TEST_P(EngineContract, CancelledDuringALongPromptStopsAtTheNextStep) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  const RequestId id = harness.submit(request(encode(std::string(160, '('))));
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(2);
    harness.wait_until_held();  // in the third step
  } else {
    harness.runner().gate().open();
    for (int i = 0; i < 3; ++i) harness.engine().poll();
  }
  harness.cancel(id);
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(id).reason, FinishReason::kCancelled);
  EXPECT_LE(harness.runner().steps(), 3U);
  EXPECT_TRUE(harness.texts(id).empty());
}

TEST_P(EngineContract, CancelAfterTheEndOrOfTheUnknownChangesNothing) {
  EngineHarness harness = make();
  const RequestId id = harness.submit(request(prompt()));
  harness.cancel(RequestId(12345));
  EXPECT_EQ(harness.wait(id).reason, FinishReason::kLength);
  harness.cancel(id);
  EXPECT_EQ(harness.generate(request(prompt())).reason, FinishReason::kLength);
  EXPECT_EQ(harness.final_events(id), 1U);
}

TEST_P(EngineContract, MoreThanTheQueueLimitFailsClearlyAndTheRestIsServed) {
  EngineOptions limited = options();
  limited.queue_limit = 2;
  EngineHarness harness = make(limited);
  harness.runner().gate().close();
  const RequestId first = harness.submit(request(prompt()));
  harness.wait_until_held();
  const RequestId second = harness.submit(request(prompt()));
  const RequestId third = harness.submit(request(prompt()));
  harness.runner().gate().open();
  const GenerationResult refused = harness.wait(third);
  EXPECT_EQ(refused.reason, FinishReason::kFailed);
  EXPECT_EQ(refused.error, "the engine's queue is full: 2 requests are unfinished");
  EXPECT_EQ(harness.wait(first).reason, FinishReason::kLength);
  EXPECT_EQ(harness.wait(second).reason, FinishReason::kLength);
  EXPECT_EQ(harness.generate(request(prompt())).reason, FinishReason::kLength);
}

TEST_P(EngineContract, PromptsThatNoStepCanServeFail) {
  EngineHarness harness = make();
  const model::RunnerInfo& model = harness.engine().model_info();
  const auto error_of = [&](std::vector<TokenId> tokens) {
    const GenerationResult result = harness.generate(request(std::move(tokens)));
    EXPECT_EQ(result.reason, FinishReason::kFailed);
    return result.error;
  };
  EXPECT_EQ(error_of({}), "the prompt has no tokens");
  EXPECT_THAT(error_of(std::vector<TokenId>(model.max_positions + 1, TokenId(1))),
              testing::HasSubstr("the model takes"));
  EXPECT_THAT(error_of({TokenId(static_cast<std::int32_t>(model.vocabulary))}), testing::HasSubstr("vocabulary"));
  EXPECT_THAT(error_of({TokenId(-1)}), testing::HasSubstr("prompt token -1"));
  EXPECT_EQ(harness.runner().steps(), 0U);
}

TEST_P(EngineContract, AFailingStepFailsItsRequestAndItsSessionStartsAfresh) {
  EngineHarness harness = make();
  harness.generate(request(prompt(), "s"));
  harness.runner().fail_at(harness.runner().steps() + 2);
  const GenerationResult failed = harness.generate(request(prompt(), "s"));
  EXPECT_EQ(failed.reason, FinishReason::kFailed);
  EXPECT_EQ(failed.error, WatchedRunner::kFailure);
  const GenerationResult next = harness.generate(request(prompt(), "s"));
  EXPECT_EQ(next.reason, FinishReason::kLength) << next.error;
  EXPECT_EQ(next.timings.prefilled_tokens, prompt().size());
  EXPECT_EQ(next.tokens, greedy(prompt()));
}

TEST_P(EngineContract, AStopTokenEndsWithoutBeingText) {
  EngineHarness harness = make();
  const std::vector<TokenId> expected = greedy(prompt());
  GenerationRequest asked = request(prompt());
  asked.stop_tokens = {expected[5]};
  const GenerationResult result = harness.generate(std::move(asked));
  const auto end = std::ranges::find(expected, expected[5]);
  EXPECT_EQ(result.reason, FinishReason::kStopToken);
  EXPECT_EQ(result.tokens, std::vector<TokenId>(expected.begin(), end));
}

TEST_P(EngineContract, AStopConditionEndsAndCutsTheText) {
  EngineHarness harness = make();
  GenerationRequest plain = request(prompt());
  plain.max_new_tokens = 40;
  const std::string whole = harness.generate(std::move(plain)).text;
  ASSERT_GT(whole.size(), 10U);
  GenerationRequest asked = request(prompt());
  asked.max_new_tokens = 40;
  asked.stop = std::make_unique<KeepBytes>(8, 4);
  const RequestId id = harness.submit(std::move(asked));
  const GenerationResult result = harness.wait(id);
  EXPECT_EQ(result.reason, FinishReason::kStopCondition);
  EXPECT_EQ(result.text, whole.substr(0, utf8_floor(whole, 4)));
  EXPECT_LT(result.timings.generated_tokens, 40U);
  for (const std::string& text : harness.texts(id)) EXPECT_LT(text.size(), 8U);  // the overshoot is never shown
}

TEST_P(EngineContract, NoNewTokensIsAPrefillAlone) {
  EngineHarness harness = make();
  GenerationRequest asked = request(prompt(), "s");
  asked.max_new_tokens = 0;
  const GenerationResult result = harness.generate(std::move(asked));
  EXPECT_EQ(result.reason, FinishReason::kLength);
  EXPECT_TRUE(result.tokens.empty());
  EXPECT_EQ(harness.generate(request(prompt(), "s")).timings.prefilled_tokens, 1U);
}

TEST_P(EngineContract, SampledTextDependsOnTheSeedAndNotOnItsNeighbours) {
  const auto sampled = [](std::uint64_t seed) {
    GenerationRequest asked = request(prompt());
    asked.sampling = {.temperature = 1.5, .top_k = 100, .top_p = 0.95, .seed = seed};
    return asked;
  };
  EngineHarness harness = make();
  const GenerationResult alone = harness.generate(sampled(7));
  std::vector<RequestId> ids;
  for (std::uint64_t seed = 5; seed < 9; ++seed) ids.push_back(harness.submit(sampled(seed)));
  std::set<std::vector<TokenId>> different;
  for (const RequestId id : ids) different.insert(harness.wait(id).tokens);
  EXPECT_EQ(harness.wait(ids[2]).tokens, alone.tokens);
  EXPECT_GT(different.size(), 1U);
}

TEST_P(EngineContract, InteractiveOvertakesBackgroundWhichEndsAsItWould) {
  EngineOptions one_at_a_time = options();
  one_at_a_time.sequences_per_step = 1;
  EngineHarness harness = make(one_at_a_time);
  harness.runner().gate().close();
  const auto submit = [&](std::string_view text, RequestClass request_class) {
    GenerationRequest asked = request(encode(text));
    asked.request_class = request_class;
    return harness.submit(std::move(asked));
  };
  const RequestId background = submit("background", RequestClass::kBackground);
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(3);
    harness.wait_until_held();
  } else {
    harness.runner().gate().open();
    for (int i = 0; i < 4; ++i) harness.engine().poll();
  }
  const RequestId waiting = submit("waiting", RequestClass::kUserWaiting);
  const RequestId typing = submit("typing", RequestClass::kInteractive);
  const RequestId typing_too = submit("typing too", RequestClass::kInteractive);
  harness.runner().gate().open();
  EXPECT_EQ(harness.wait(background).tokens, greedy(encode("background")));
  EXPECT_THAT(harness.finished(), testing::ElementsAre(typing, typing_too, waiting, background));
}

TEST_P(EngineContract, ADestroyedEngineCancelsWhatIsUnfinished) {
  EngineHarness harness = make();
  harness.runner().gate().close();
  std::vector<RequestId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(harness.submit(request(prompt(), "s")));
  if (GetParam().threads > 0) {
    harness.runner().gate().let_through(2);
    harness.wait_until_held();
  } else {
    harness.runner().gate().open();
    harness.engine().poll();
  }
  std::thread opener([&] { harness.runner().gate().open(); });
  harness.destroy_engine();
  opener.join();
  std::size_t cancelled = 0;
  for (const RequestId id : ids) {
    EXPECT_EQ(harness.final_events(id), 1U);
    if (harness.wait(id).reason == FinishReason::kCancelled) ++cancelled;
  }
  // In sync mode nobody could run a step; a thread may get further between the gate's opening and the engine's end.
  EXPECT_GE(cancelled, GetParam().threads == 0 ? ids.size() : 0);
}

TEST_P(EngineContract, CallbacksMaySubmitAndCancel) {
  EngineHarness harness = make();
  generation::Engine& engine = harness.engine();
  std::promise<FinishReason> second_done;
  const auto submit_second = [&](GenerationResult) {
    const auto cancel_self = [&engine](const generation::TextSoFar& so_far) { engine.cancel(so_far.id); };
    engine.submit(request(prompt()), {cancel_self, [&](GenerationResult r) { second_done.set_value(r.reason); }});
  };
  engine.submit(request(prompt()), {{}, submit_second});
  while (engine.poll()) {
  }
  EXPECT_EQ(second_done.get_future().get(), FinishReason::kCancelled);
}

}  // namespace weft::test
