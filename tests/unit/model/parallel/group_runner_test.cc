// A model over several rank processes against the same model in one: logits of every family, greedy text of the default
// model, and a group whose rank is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <future>

#include "tests/unit/model/parallel/group_fixture.h"

namespace weft::test {
namespace {

using testing::HasSubstr;

class EveryFamily : public testing::TestWithParam<FamilyCase> {};

TEST_P(EveryFamily, GivesTheLogitsOfOneProcess) {
  const std::string directory = golden_directory(GetParam().family);
  const Group group = start_group(directory, GetParam().ranks);
  const auto solo = solo_runner(directory);
  const auto both = [&](const model::StepPlan& plan, const std::string& where) {
    expect_same_logits(group.runner->step(plan), solo->step(plan), where);
  };
  both({.sequences = {part(1, 0, tokens_of({5, 17, 89, 3, 64, 12, 95}))}}, "prefill");
  both({.sequences = {part(1, 7, tokens_of({1, 2, 3, 4}))}}, "second chunk");
  both({.sequences = {part(1, 11, tokens_of({42})), part(2, 0, tokens_of({9, 8, 7}))}}, "two sequences");
  both({.sequences = {part(1, 12, tokens_of({43})), part(2, 3, tokens_of({6}))}}, "one token each");
  both({.sequences = {part(1, 4, tokens_of({77, 78}))}, .released = {SequenceId(2)}}, "taken back");
}

class EveryDecoder : public testing::TestWithParam<FamilyCase> {};

TEST_P(EveryDecoder, ServesAdaptersAndForksAsOneProcessDoes) {
  const std::string directory = golden_directory(GetParam().family);
  const Group group = start_group(directory, GetParam().ranks);
  const auto solo = solo_runner(directory);
  const auto both = [&](const model::StepPlan& plan, const std::string& where) {
    expect_same_logits(group.runner->step(plan), solo->step(plan), where);
  };
  for (const auto& runner : {group.runner.get(), solo.get()}) {
    const auto installed = runner->install_adapter(AdapterId(3), noisy_adapter(directory));
    ASSERT_TRUE(installed) << installed.error().message;
  }
  model::StepSequence adapted = part(1, 0, tokens_of({5, 17, 99, 3}));
  adapted.adapter = AdapterId(3);
  both({.sequences = {adapted, part(2, 0, tokens_of({5, 17, 99, 3}))}}, "one of two sequences");
  model::StepSequence first = part(1, 4, tokens_of({8})), second = part(4, 3, tokens_of({9}));
  first.adapter = second.adapter = AdapterId(3);
  both({.sequences = {first, second}, .forks = {{SequenceId(1), SequenceId(4), Position(3)}}}, "forked");
  ASSERT_TRUE(group.runner->step({.sequences = {}, .released = {SequenceId(1), SequenceId(4)}}));
  group.runner->remove_adapter(AdapterId(3));
  const auto refused = group.runner->step({.sequences = {adapted}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("adapter 3 is not installed"));
}

INSTANTIATE_TEST_SUITE_P(Ranks, EveryFamily, testing::ValuesIn(cases_of(all_families())), family_name);
INSTANTIATE_TEST_SUITE_P(Ranks, EveryDecoder, testing::ValuesIn(cases_of(decoders())), family_name);

TEST(GroupRunner, AnAdapterThatDoesNotFitIsRefusedByAllAndTheGroupGoesOn) {
  const std::string directory = golden_directory("qwen3");
  const Group group = start_group(directory, 2);
  model::LoraAdapter wrong = *noisy_adapter(directory);
  wrong.deltas[0].module = "model.layers.99.self_attn.q_proj";
  const auto refused = group.runner->install_adapter(AdapterId(1), std::make_shared<model::LoraAdapter>(wrong));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("model.layers.99"));
  const model::StepPlan plan{.sequences = {part(2, 0, tokens_of({1, 2, 3}))}};
  expect_same_logits(group.runner->step(plan), solo_runner(directory)->step(plan), "after a refusal");
}

// The ids of `count` greedy tokens after the prompt.
std::vector<TokenId> greedy(model::ModelRunner& runner, std::vector<TokenId> prompt, int count) {
  std::vector<TokenId> out;
  int start = 0;
  for (std::vector<TokenId> next = std::move(prompt); static_cast<int>(out.size()) < count;) {
    const auto result = runner.step({.sequences = {part(1, start, next)}});
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return out;
    const auto row = result->row(0);
    start += static_cast<int>(next.size());
    out.emplace_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
    next = {out.back()};
  }
  return out;
}

class DefaultModel : public testing::TestWithParam<int> {};

TEST_P(DefaultModel, GivesTheTextAndTheLogitsOfOneProcess) {
  const auto tokenizer = model::load_tokenizer(default_directory());
  ASSERT_TRUE(tokenizer);
  const Group group = start_group(default_directory(), GetParam());
  const auto solo = solo_runner(default_directory());
  for (const char* text : {"def add(a, b):\n    return ", "import os\n\nfor name in os.listdir("}) {
    const std::vector<TokenId> prompt = (*tokenizer)->encode(text);
    const std::vector<TokenId> expected = greedy(*solo, prompt, 24);
    EXPECT_EQ(greedy(*group.runner, prompt, 24), expected) << text;
    std::vector<TokenId> all = prompt;
    all.insert(all.end(), expected.begin(), expected.end());
    const model::StepPlan plan{.sequences = {part(1, 0, all)}};
    expect_same_logits(group.runner->step(plan), solo->step(plan), text);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, DefaultModel, testing::Values(2, 4), testing::PrintToStringParamName());

// 263 tokens over 4 ranks: 66 a rank, of which the last has one that is padding.
TEST(GroupRunner, AVocabularyThatRanksDoNotDivideIsPadded) {
  const std::string directory = write_tiny_model(263);
  for (const int ranks : {2, 4}) {
    const Group group = start_group(directory, ranks);
    EXPECT_EQ(group.runner->info().vocabulary, 263U);
    const model::StepPlan plan{.sequences = {part(1, 0, tokens_of({0, 65, 66, 131, 132, 261, 262}))}};
    expect_same_logits(group.runner->step(plan), solo_runner(directory)->step(plan), std::to_string(ranks));
  }
}

TEST(GroupRunner, LeavesNoProcessBehind) {
  { const Group group = start_group(golden_directory("qwen3"), 4); }
  EXPECT_TRUE(children().empty());
}

TEST(GroupRunner, APlanThatIsRefusedDoesNotEndTheGroup) {
  const std::string directory = golden_directory("llama");
  const Group group = start_group(directory, 2);
  const auto ranks = children();
  const auto refused = group.runner->step({.sequences = {part(1, 0, tokens_of({1, 999}))}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("999"));
  const model::StepPlan plan{.sequences = {part(2, 0, tokens_of({1, 2, 3}))}};
  expect_same_logits(group.runner->step(plan), solo_runner(directory)->step(plan), "after a refusal");
  EXPECT_EQ(children(), ranks);
}

TEST(GroupRunner, ANumberOfRanksThatDoesNotDivideTheModelIsRefused) {
  const auto refused = model::GroupRunner::start(group_options(golden_directory("qwen2"), 3));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("4 attention heads do not divide evenly; 1, 2, 4 would do"));
  EXPECT_TRUE(children().empty());
}

TEST(GroupRunner, AProgramThatIsNoRankIsNamedAsSuch) {
  model::GroupRunnerOptions options = group_options(golden_directory("qwen2"), 2);
  options.group.program = "/bin/false";
  const auto ended = model::GroupRunner::start(options);
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("ended with exit code 1 before it had joined"));
  options.group.program = "/no/such/program";
  const auto absent = model::GroupRunner::start(options);
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("/no/such/program"));
}

TEST(GroupRunner, WhatOneRankCannotLoadIsAnErrorThatNamesTheRank) {
  model::GroupRunnerOptions options = group_options(golden_directory("qwen2"), 2);
  options.start.directory = golden_directory("no_such_family");
  const auto failed = model::GroupRunner::start(options);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("rank 1: "));
  EXPECT_THAT(failed.error().message, HasSubstr("no_such_family"));
}

class KilledRank : public testing::Test {
 protected:
  // What the step says when `rank`'s process is killed while it is under way.
  Expected<model::StepResult> step_with_a_kill(const model::StepPlan& plan, std::size_t rank) {
    const std::shared_ptr<WatchedRunner> own = *group_.own;
    own->gate().close();
    auto step = std::async(std::launch::async, [&] { return group_.runner->step(plan); });
    own->gate().wait_until_held();
    ::kill(children().at(rank - 1), SIGKILL);
    const auto begin = std::chrono::steady_clock::now();
    own->gate().open();
    auto result = step.get();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    return result;
  }

  explicit KilledRank(const std::string& family = "qwen3") : directory_(golden_directory(family)) {}

  const std::string directory_;
  const Group group_ = start_group(directory_, 4);
  const std::unique_ptr<model::ModelRunner> solo_ = solo_runner(directory_);
};

class KilledRankOfAnEncoderDecoder : public KilledRank {
 protected:
  KilledRankOfAnEncoderDecoder() : KilledRank("t5") {}
};

TEST_F(KilledRank, EndsInAnErrorAndTheNextStepStartsTheGroupAgain) {
  for (const auto& runner : {group_.runner.get(), solo_.get()}) {
    ASSERT_TRUE(runner->install_adapter(AdapterId(7), noisy_adapter(directory_)));
  }
  model::StepPlan first{.sequences = {part(1, 0, tokens_of({11, 12, 13, 14, 15}))}};
  first.sequences[0].adapter = AdapterId(7);
  expect_same_logits(group_.runner->step(first), solo_->step(first), "before");
  const auto failed = step_with_a_kill({.sequences = {part(2, 0, tokens_of({1, 2, 3}))}}, 2);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, testing::ContainsRegex("rank 2 \\(process [0-9]+\\) was ended by signal 9"));
  // What was computed before goes on as if nothing had happened, with its adapter.
  model::StepPlan second{.sequences = {part(1, 5, tokens_of({16}))}};
  second.sequences[0].adapter = AdapterId(7);
  expect_same_logits(group_.runner->step(second), solo_->step(second), "after");
  EXPECT_EQ(children().size(), 3U);
}

TEST_F(KilledRank, BetweenTwoStepsCostsNothingButTime) {
  const model::StepPlan first{.sequences = {part(1, 0, tokens_of({11, 12, 13, 14, 15}))}};
  expect_same_logits(group_.runner->step(first), solo_->step(first), "before");
  const int killed = children().front();
  ::kill(killed, SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(killed), &ended, WEXITED | WNOWAIT), 0);
  const model::StepPlan second{.sequences = {part(1, 3, tokens_of({16, 17}))}};
  expect_same_logits(group_.runner->step(second), solo_->step(second), "after");
}

// Where a source ends is history that the ranks are told again.
TEST_F(KilledRankOfAnEncoderDecoder, GoesOnInTheAnswer) {
  model::StepPlan source{.sequences = {part(1, 0, tokens_of({11, 12, 13}))}};
  source.sequences[0].logits = 0;
  const model::StepPlan closing{.sequences = {part(1, 3, tokens_of({14, 15}))}};
  const model::StepPlan answer{.sequences = {part(1, 5, tokens_of({20, 21}))}};
  for (const model::StepPlan& plan : {source, closing, answer}) {
    expect_same_logits(group_.runner->step(plan), solo_->step(plan), "before");
  }
  ASSERT_FALSE(step_with_a_kill({.sequences = {part(2, 0, tokens_of({1, 2, 3}))}}, 3));
  const model::StepPlan next{.sequences = {part(1, 7, tokens_of({22}))}};
  expect_same_logits(group_.runner->step(next), solo_->step(next), "after");
}

}  // namespace
}  // namespace weft::test
