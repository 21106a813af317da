// RunnerContract: what a step promises about forks, releases, adapters and plans that it refuses, over any ModelRunner.
// Included by one test program a runner, which names its case as for EngineContract.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/generation/engine_fixture.h"

namespace weft::test {

class RunnerContract : public testing::TestWithParam<EngineModel> {
 protected:
  using Row = std::vector<float>;
  static constexpr AdapterId kBase{}, kOne{1}, kOther{2};

  void SetUp() override {
    runner_ = GetParam().make_runner();
    ASSERT_TRUE(runner_->install_adapter(kOne, GetParam().adapter));
    ASSERT_TRUE(runner_->install_adapter(kOther, GetParam().other_adapter));
  }

  [[nodiscard]] static std::vector<TokenId> encode(std::string_view text) { return GetParam().tokenizer->encode(text); }
  [[nodiscard]] static model::StepSequence part(std::uint64_t id, std::int32_t start, std::string_view text,
                                                AdapterId adapter = kBase) {
    return {SequenceId(id), Position(start), encode(text), true, adapter};
  }
  [[nodiscard]] static model::Fork fork(std::uint64_t from, std::uint64_t to, std::int32_t length) {
    return {SequenceId(from), SequenceId(to), Position(length)};
  }

  // Rows of logits; fails the test where the runner refuses.
  std::vector<Row> step(const model::StepPlan& plan) {
    const auto result = runner_->step(plan);
    EXPECT_TRUE(result) << result.error().message;
    std::vector<Row> rows;
    if (!result) return rows;
    for (std::size_t at = 0; at < result->logits.size(); at += result->vocabulary) {
      const auto begin = result->logits.begin() + static_cast<std::ptrdiff_t>(at);
      rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(result->vocabulary));
    }
    return rows;
  }
  std::string refusal(const model::StepPlan& plan) {
    const auto result = runner_->step(plan);
    return result ? "not refused" : result.error().message;
  }
  // The definition: the whole text on a sequence that nobody else has.
  Row alone(std::string_view text, AdapterId adapter = kBase) {
    const std::uint64_t id = ++last_alone_;
    Row row = step({.sequences = {part(id, 0, text, adapter)}}).at(0);
    step({.sequences = {}, .released = {SequenceId(id)}});
    return row;
  }
  static void expect_same(const Row& actual, const Row& expected, std::string_view what) {
    EXPECT_THAT(actual, testing::Pointwise(testing::FloatNear(1e-4F), expected)) << what;
  }
  static bool differ(const Row& a, const Row& b) {
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a[i] - b[i]));
    return most > 1e-2;
  }

  std::shared_ptr<model::ModelRunner> runner_;
  std::uint64_t last_alone_ = 1000;
};

TEST_P(RunnerContract, AForkGoesOnBesideItsSource) {
  step({.sequences = {part(1, 0, "def f")}});
  const auto rows = step(
      {.sequences = {part(1, 5, "(x)"), part(2, 5, "oo"), part(3, 3, "z")}, .forks = {fork(1, 2, 5), fork(1, 3, 3)}});
  expect_same(rows.at(0), alone("def f(x)"), "the source");
  expect_same(rows.at(1), alone("def foo"), "the fork of all");
  expect_same(rows.at(2), alone("defz"), "the fork of a part");
  const auto later = step({.sequences = {part(3, 4, "!"), part(1, 8, ":")}});
  expect_same(later.at(0), alone("defz!"), "the fork, later");
  expect_same(later.at(1), alone("def f(x):"), "the source, later");
}

TEST_P(RunnerContract, ForksComeInOrderAndBeforeReleases) {
  step({.sequences = {part(1, 0, "abc")}});
  const auto rows = step({.sequences = {part(3, 2, "d"), part(1, 0, "x")},
                          .released = {SequenceId(1), SequenceId(2)},
                          .forks = {fork(1, 2, 3), fork(2, 3, 2)}});
  expect_same(rows.at(0), alone("abd"), "a fork of a fork");
  expect_same(rows.at(1), alone("x"), "a released one begins anew");
  EXPECT_NE(refusal({.sequences = {part(2, 3, "d")}}), "not refused");  // it was released
}

TEST_P(RunnerContract, ARefusedPlanChangesNothing) {
  step({.sequences = {part(1, 0, "abc"), part(2, 0, "de", kOne)}});
  const auto refused = [&](model::StepPlan plan, std::string_view why) {
    plan.released.emplace_back(1);
    plan.forks.insert(plan.forks.begin(), fork(1, 7, 3));
    EXPECT_THAT(refusal(plan), testing::HasSubstr(std::string(why)));
  };
  refused({.sequences = {part(7, 4, "x")}}, "can't go on at position 4");
  refused({.sequences = {part(1, 3, "x")}}, "holds 0 tokens");  // released before
  refused({.sequences = {part(4, 0, "x"), part(4, 0, "y")}}, "twice");
  refused({.sequences = {part(4, 0, "")}}, "no tokens");
  refused({.sequences = {part(4, 0, "x", AdapterId(99))}}, "adapter 99 is not installed");
  refused({.sequences = {part(2, 2, "x", kOther)}}, "is of adapter 1, not 2");
  refused({.sequences = {part(7, 3, "x", kOne)}}, "is of adapter 0, not 1");  // a fork has its source's
  refused({.sequences = {part(4, 0, "x")}, .forks = {fork(1, 2, 1)}}, "exists");
  refused({.sequences = {part(4, 0, "x")}, .forks = {fork(1, 8, 4)}}, "can't be forked");
  refused({.sequences = {part(4, 0, "x")}, .forks = {fork(6, 8, 0)}}, "can't be forked");
  const auto rows = step({.sequences = {part(1, 3, "f"), part(2, 2, "f", kOne)}});
  expect_same(rows.at(0), alone("abcf"), "the first");
  expect_same(rows.at(1), alone("def", kOne), "the second");
  for (const std::uint64_t id : {4, 7, 8}) EXPECT_NE(refusal({.sequences = {part(id, 1, "x")}}), "not refused") << id;
}

TEST_P(RunnerContract, SequencesOfOneStepHaveTheirOwnAdapters) {
  const std::string text = "def area(";
  const auto rows = step({.sequences = {part(1, 0, text), part(2, 0, text, kOne), part(3, 0, text, kOther),
                                        part(4, 0, text, kOther), part(5, 0, "x"), part(6, 0, "x", kOne)}});
  EXPECT_TRUE(differ(rows.at(0), rows.at(1)));
  EXPECT_TRUE(differ(rows.at(1), rows.at(2)));
  expect_same(rows.at(0), alone(text), "the base");
  expect_same(rows.at(1), alone(text, kOne), "one");
  expect_same(rows.at(2), alone(text, kOther), "the other");
  expect_same(rows.at(3), rows.at(2), "the other again");
  expect_same(rows.at(4), alone("x"), "the base after adapters");
  expect_same(rows.at(5), alone("x", kOne), "the last");
}

TEST_P(RunnerContract, ARemovedAdapterIsGoneAndTheOthersStay) {
  const Row before = alone("abc", kOther);
  runner_->remove_adapter(kOne);
  runner_->remove_adapter(AdapterId(77));
  EXPECT_EQ(refusal({.sequences = {part(1, 0, "abc", kOne)}}), "adapter 1 is not installed");
  expect_same(alone("abc", kOther), before, "the other");
  EXPECT_TRUE(runner_->install_adapter(AdapterId(3), GetParam().adapter));
  EXPECT_TRUE(differ(alone("abc", AdapterId(3)), alone("abc")));
}

TEST_P(RunnerContract, AnAdapterForAnotherModelIsRefusedByName) {
  const auto installed = runner_->install_adapter(AdapterId(3), GetParam().foreign_adapter);
  ASSERT_FALSE(installed);
  EXPECT_THAT(installed.error().message, testing::HasSubstr("the model has no linear " + kForeignModule));
  EXPECT_EQ(refusal({.sequences = {part(1, 0, "abc", AdapterId(3))}}), "adapter 3 is not installed");
}

}  // namespace weft::test
