// Evaluation of tasks, with a fake model that has the answers with the adapter and none without.
#include "adapters/eval/task_eval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <nlohmann/json.hpp>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_runner.h"
#include "tests/support/fake_task.h"

namespace weft::adapters {
namespace {

constexpr std::string_view kSource =
    "def alpha(a):\n    pass\ndef beta(b):\n    pass\ndef gamma(c):\n    pass\ndef delta(d):\n    pass\n";

// Sure of what a text says next when what stands before is known from one of the examples; else all tokens are alike.
test::Script knows(std::vector<TokenExample> examples) {
  return [examples = std::move(examples)](std::span<const TokenId> history) {
    std::vector<float> logits(test::ByteTokenizer::kVocabulary, 0.0F);
    for (const TokenExample& example : examples) {
      std::vector<TokenId> all = example.prompt;
      all.insert(all.end(), example.answer.begin(), example.answer.end());
      if (history.size() < all.size() && std::equal(history.begin(), history.end(), all.begin())) {
        logits[static_cast<std::size_t>(all[history.size()].value())] = 20;
      }
    }
    return logits;
  };
}

class TaskEval : public testing::Test {
 protected:
  std::vector<TokenExample> examples_of(const Task& task) const {
    Random random(1);
    std::vector<TokenExample> out;
    for (TaskExample& text : task.examples(generation::language_for("python", ""), kSource, random)) {
      TokenExample example{std::move(text), {}, {}};
      example.prompt = tokenizer_->encode(example.text.prompt);
      example.answer = tokenizer_->encode(example.text.answer);
      example.answer.push_back(*tokenizer_->control("<|endoftext|>"));
      out.push_back(std::move(example));
    }
    return out;
  }

  // The adapter knows `known`; the base nothing.
  Expected<TaskEvalReport> evaluate(const Task& task, std::vector<TokenExample> known, double threshold = 0.9) {
    test::FakeRunnerOptions options;
    options.adapter_scripts["taught"] = knows(std::move(known));
    auto runner = std::make_shared<test::FakeRunner>(knows({}), options);
    engine_ = std::make_unique<generation::Engine>(runner, tokenizer_, std::make_shared<test::FakeClock>(),
                                                   generation::EngineOptions{.threads = 0});
    auto adapter = std::make_shared<model::LoraAdapter>();
    adapter->name = "taught";
    AdapterId id;
    engine_->install_adapter(adapter, [&](Expected<AdapterId> installed) { id = *installed; });
    engine_->poll();
    AdapterInfo info;
    info.name = "taught";
    info.threshold = threshold;
    return evaluate_task(task, examples_of(task), {engine_.get(), id, info}, {.progress = {}, .samples = 3});
  }

  static const Metric& metric(const TaskEvalReport& report, std::string_view name) {
    return *std::ranges::find(report.metrics, name, &Metric::name);
  }

  std::shared_ptr<test::ByteTokenizer> tokenizer_ = std::make_shared<test::ByteTokenizer>();
  std::unique_ptr<generation::Engine> engine_;
};

TEST_F(TaskEval, ADetectorThatKnowsEverythingIsPerfectAndTheBaseIsChance) {
  const Task& task = test::fake_detection();
  const auto report = evaluate(task, examples_of(task));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->examples, 8U);
  EXPECT_EQ(metric(*report, "paired accuracy").adapter.value, 1);
  EXPECT_EQ(metric(*report, "paired accuracy").base.value, 0);  // ties are not told apart
  EXPECT_EQ(metric(*report, "paired accuracy").count, 4U);
  EXPECT_EQ(metric(*report, "area under the curve").adapter.value, 1);
  EXPECT_GT(metric(*report, "area under the curve").difference.low, 0);
  EXPECT_EQ(metric(*report, "precision at the threshold").adapter.value, 1);
  EXPECT_EQ(metric(*report, "recall at the threshold").adapter.value, 1);
  // "bug" is shorter than "clean", so a base for which all tokens are alike always says bug: half are right.
  EXPECT_EQ(metric(*report, "precision at the threshold").base.value, 0.5);
  EXPECT_EQ(report->labels.size(), 2U);
  EXPECT_EQ(report->labels[0].adapter, 4U);
}

TEST_F(TaskEval, AnswersAreCountedByTheTask) {
  const Task& task = test::fake_rewriting();
  std::vector<TokenExample> known = examples_of(task);
  known.pop_back();
  const auto report = evaluate(task, known);
  ASSERT_TRUE(report) << report.error().message;
  const Metric& right = metric(*report, "answers right");
  EXPECT_EQ(right.base.value, 0);
  EXPECT_EQ(right.adapter.value, 0.75);
  EXPECT_LT(right.adapter.low, 0.75);
  EXPECT_GT(right.adapter.high, 0.75);
  const Metric& sure = metric(*report, "log-probability of the wanted answer, a token");
  EXPECT_NEAR(sure.base.value, -std::log(static_cast<double>(test::ByteTokenizer::kVocabulary)), 1e-4);
  EXPECT_GT(sure.difference.low, 0);
  ASSERT_EQ(report->samples.size(), 3U);
  EXPECT_EQ(report->samples[0].adapter, "ALPHA");
  EXPECT_TRUE(report->samples[0].adapter_right);
  EXPECT_FALSE(report->samples[0].base_right);
  const auto json = nlohmann::json::parse(to_json(*report));
  EXPECT_EQ(json.at("metrics").at(0).at("adapter").at("value"), 0.75);
}

TEST_F(TaskEval, ErrorsAndCancellationAreSaid) {
  EXPECT_FALSE(evaluate_task(test::fake_rewriting(), {}, {nullptr, AdapterId{}, {}}, {}));
  generation::Engine engine(std::make_shared<test::FakeRunner>(knows({})), tokenizer_,
                            std::make_shared<test::FakeClock>(), generation::EngineOptions{.threads = 0});
  const auto examples = examples_of(test::fake_rewriting());
  const auto absent = evaluate_task(test::fake_rewriting(), examples, {&engine, AdapterId{7}, {}}, {});
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("adapter"), std::string::npos) << absent.error().message;
  CancelFlag cancel;
  cancel.cancel();
  const auto cancelled =
      evaluate_task(test::fake_rewriting(), examples, {&engine, AdapterId{}, {}}, {.progress = {}, .cancel = cancel});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().message, "cancelled");
}

}  // namespace
}  // namespace weft::adapters
