#include "adapters/train/lora_model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "adapters/train/example_sampler.h"
#include "tests/unit/adapters/train/tiny_base.h"

namespace weft::adapters {
namespace {

TokenExample example_of(std::vector<int> prompt, std::vector<int> answer) {
  TokenExample out;
  for (const int token : prompt) out.prompt.emplace_back(token);
  for (const int token : answer) out.answer.emplace_back(token);
  return out;
}

const std::vector<TokenExample> kExamples = {example_of({5, 6, 7}, {8, 9}), example_of({10}, {11, 12, 13}),
                                             example_of({14, 15, 16, 17}, {18})};

class LoraModelTest : public TinyBase {
 protected:
  [[nodiscard]] LoraModel open() const {
    auto model = LoraModel::open(path("base"), config_, LoraFactors::fresh(config_, {.rank = 4, .alpha = 8}, 3));
    EXPECT_TRUE(model) << model.error().message;
    return *std::move(model);
  }
  static double loss(const FinetuneModel& model, std::vector<const TokenExample*> examples) {
    const at::NoGradGuard no_gradient;
    return model.loss_sum(examples).item<double>();
  }
};

TEST(PackExamples, OnlyTheAnswersTokensAreTargets) {
  const RowBatch batch = pack_examples(std::vector{&kExamples[0], &kExamples[1]});
  const std::int64_t ignored = RowBatch::kIgnored;
  EXPECT_EQ(batch.ids, (std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11, 12, 13}));
  EXPECT_EQ(batch.positions, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 0, 1, 2, 3}));
  EXPECT_EQ(batch.targets, (std::vector<std::int64_t>{ignored, ignored, 8, 9, ignored, 11, 12, 13, ignored}));
  EXPECT_EQ(batch.scored, 5U);
}

TEST_F(LoraModelTest, ExamplesOfOneBatchDoNotSeeEachOther) {
  const LoraModel model = open();
  const double apart = loss(model, {&kExamples[0]}) + loss(model, {&kExamples[1]}) + loss(model, {&kExamples[2]});
  EXPECT_NEAR(loss(model, {&kExamples[2], &kExamples[0], &kExamples[1]}), apart, 1e-2 * apart);
  EXPECT_NEAR(mean_loss(model, kExamples, 7), apart / 6, 1e-2 * apart);
}

TEST_F(LoraModelTest, TheFirstTokenOfAnAnswerCountsAsOftenAsItSays) {
  const LoraModel model = open();
  TokenExample verdict = kExamples[0], first = kExamples[0];
  verdict.first_counts = 5;
  first.answer.resize(1);
  const double wanted = loss(model, {&kExamples[0]}) + 4 * loss(model, {&first});
  EXPECT_NEAR(loss(model, {&verdict}), wanted, 1e-2 * wanted);
  EXPECT_NEAR(mean_loss(model, {&verdict, 1}, 7), wanted / 6, 1e-2 * wanted);
}

TEST_F(LoraModelTest, GradientsReachTheFactorsAlone) {
  const LoraModel model = open();
  EXPECT_EQ(model.parameters().size(), 2U * 14);
  model.loss_sum(std::vector{&kExamples[0]}).backward();
  double of_b = 0;
  for (const Parameter& parameter : model.parameters()) {
    ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
    const double size = parameter.value.grad().abs().sum().item<double>();
    // While B is zero, nothing that A could change comes through.
    if (parameter.name.ends_with("lora_A")) {
      EXPECT_EQ(size, 0) << parameter.name;
    }
    of_b += size;
  }
  EXPECT_GT(of_b, 0);
}

TEST_F(LoraModelTest, AnAdapterReadBackHasTheSameLoss) {
  const LoraModel model = open();
  const double base = loss(model, {&kExamples[1]});
  {
    const at::NoGradGuard no_gradient;
    for (const Parameter& parameter : model.parameters()) at::Tensor(parameter.value).add_(0.05);
  }
  const double changed = loss(model, {&kExamples[1]});
  EXPECT_GT(std::abs(changed - base), 1e-3);
  const auto again = LoraModel::open(path("base"), config_, LoraFactors(config_, model.to_adapter()));
  ASSERT_TRUE(again);
  EXPECT_DOUBLE_EQ(loss(*again, {&kExamples[1]}), changed);
}

TEST(ExampleSampler, AnEpochHasEveryExampleOnceAndAStateGoesOnWhereItWas) {
  std::vector<TokenExample> examples;
  for (int i = 0; i < 20; ++i) examples.push_back(example_of({i, i}, {i}));
  ExampleSampler sampler(examples, 7);
  std::multiset<std::int32_t> seen;
  std::vector<std::int32_t> order;
  while (sampler.state().epoch == 0) {
    const auto batch = sampler.next(12);
    EXPECT_EQ(batch.size(), 4U);
    for (const TokenExample* example : batch) {
      seen.insert(example->prompt[0].value());
      order.push_back(example->prompt[0].value());
    }
  }
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 20U);
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  ExampleSampler resumed(examples, 7, sampler.state());
  for (int i = 0; i < 9; ++i) EXPECT_EQ(resumed.next(7), sampler.next(7));
  EXPECT_EQ(sampler.next(1).size(), 1U);  // one that is longer than what is asked for still comes
}

}  // namespace
}  // namespace weft::adapters
