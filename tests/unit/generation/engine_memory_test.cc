// The engine where the runner has little room for KV, or none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/generation/engine_over_fake.h"

namespace weft::test {
namespace {

// A runner with little room: a request of 9 and 4 tokens fits, and KV that was used of late beside it.
class EngineInLittleMemory : public EngineOverFake {
 protected:
  void SetUp() override {
    FakeRunnerOptions options;
    options.kv_tokens = kRoom;
    runner_ = std::make_shared<FakeRunner>(hashed_script(), options);
  }
  void TearDown() override {
    EXPECT_LE(runner_->most_tokens_held(), kRoom);
    EXPECT_EQ(runner_->broken_plans(), 0U);
  }
  [[nodiscard]] GenerationRequest asked(std::string_view text, RequestClass request_class = {}) const {
    GenerationRequest out = request(text);
    out.stop_tokens.clear();
    out.max_new_tokens = 4;
    out.request_class = request_class;
    return out;
  }
  static constexpr std::size_t kRoom = 48;
  std::shared_ptr<FakeRunner> runner_;
};

TEST_F(EngineInLittleMemory, WhatWasUnusedForLongestMakesRoom) {
  EngineHarness harness = over(runner_);
  const auto prefilled = [&](std::string_view text) { return harness.generate(asked(text)).timings.prefilled_tokens; };
  for (const char* text : {"text one.", "TEXT TWO.", "text one.", "3 texts .", "4 texts .", "5 texts ."}) {
    harness.generate(asked(text));
  }
  EXPECT_EQ(prefilled("5 texts ."), 1U);
  EXPECT_EQ(prefilled("TEXT TWO."), 9U);
  EXPECT_GT(harness.engine().metrics().evicted_tokens, 0U);
}

TEST_F(EngineInLittleMemory, BackgroundGivesWayAndEndsAsItWould) {
  EngineHarness harness = over(runner_), alone = over(std::make_shared<FakeRunner>(hashed_script()));
  const std::string long_text(30, 'b'), other(28, 'i');
  const RequestId background = harness.submit(asked(long_text, RequestClass::kBackground));
  for (int i = 0; i < 2; ++i) harness.engine().poll();
  EXPECT_EQ(harness.generate(asked(other)).tokens, alone.generate(asked(other)).tokens);
  EXPECT_EQ(harness.engine().metrics().preemptions, 1U);
  EXPECT_EQ(harness.wait(background).tokens, alone.generate(asked(long_text)).tokens);
}

// Neither may take the other's memory again and again.
TEST_F(EngineInLittleMemory, TwoThatDoNotFitBesideEachOtherEndOneAfterTheOther) {
  EngineHarness harness = over(runner_, {.threads = 0, .sequences_per_step = 1, .tokens_per_step = 8});
  EngineHarness alone = over(std::make_shared<FakeRunner>(hashed_script()));
  const std::string a(27, 'a'), b(27, 'b');
  const auto of = [this](const std::string& text, const char* session) {
    GenerationRequest out = asked(text);
    out.session = session;
    return out;
  };
  harness.generate(of("some text", "a"));  // so that it is the newer one's turn when memory is short
  const RequestId one = harness.submit(of(a, "a")), two = harness.submit(of(b, "b"));
  std::size_t steps = 0;
  while (harness.engine().poll() && steps < 200) ++steps;
  EXPECT_LT(steps, 60U);
  EXPECT_EQ(harness.wait(one).timings.prefilled_tokens, a.size());  // the older one is never set back
  EXPECT_EQ(harness.wait(one).tokens, alone.generate(asked(a)).tokens);
  EXPECT_EQ(harness.wait(two).tokens, alone.generate(asked(b)).tokens);
}

TEST_F(EngineInLittleMemory, WhatCanNeverFitFailsAloneAndSaysWhy) {
  EngineHarness harness = over(runner_);
  const RequestId huge = harness.submit(asked(std::string(60, 'x')));
  const RequestId small = harness.submit(asked("some text"));
  EXPECT_EQ(harness.wait(small).reason, FinishReason::kLength);
  const GenerationResult failed = harness.wait(huge);
  EXPECT_EQ(failed.reason, FinishReason::kFailed);
  EXPECT_THAT(failed.error, testing::HasSubstr("out of memory"));
  EXPECT_EQ(harness.generate(asked("some text")).reason, FinishReason::kLength);
}

TEST_F(EngineOverFake, AStepWithoutMemoryIsTriedOnceMore) {
  const auto runner = std::make_shared<FakeRunner>(hashed_script());
  EngineHarness harness = over(runner), alone = over(std::make_shared<FakeRunner>(hashed_script()));
  const auto asked = [this](std::string_view text) {
    GenerationRequest out = request(text);
    out.max_new_tokens = 6;
    return out;
  };
  runner->run_out_of_memory_at({2});
  EXPECT_EQ(harness.generate(asked("some text")).tokens, alone.generate(asked("some text")).tokens);
  EXPECT_EQ(runner->broken_plans(), 0U);
  // Again and again: the one that holds most fails, the others go on.
  const std::size_t now = runner->steps();
  runner->run_out_of_memory_at({now, now + 1});
  const RequestId longer = harness.submit(asked("some longer text")), shorter = harness.submit(asked("short"));
  EXPECT_EQ(harness.wait(shorter).tokens, alone.generate(asked("short")).tokens);
  EXPECT_EQ(harness.wait(longer).reason, FinishReason::kFailed);
  EXPECT_THAT(harness.wait(longer).error, testing::HasSubstr("out of memory"));
  EXPECT_EQ(runner->broken_plans(), 0U);
}

}  // namespace
}  // namespace weft::test
