#include "adapters/train/optimizer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_svd.h>
#include <gtest/gtest.h>

#include "adapters/train/schedule.h"

namespace weft::adapters {
namespace {

at::Tensor normal(std::vector<std::int64_t> shape, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::empty(shape, at::kFloat).normal_(0, 1, generator);
}

TEST(Muon, SingularValuesBecomeNearlyEqualForWideAndTallMatrices) {
  for (const auto& shape : {std::vector<std::int64_t>{24, 64}, {64, 24}}) {
    const at::Tensor matrix = normal(shape, 3);
    const at::Tensor values = std::get<1>(at::linalg_svd(orthogonalize(matrix)));
    EXPECT_GT(values.min().item<float>(), 0.3F);
    EXPECT_LT(values.max().item<float>(), 1.4F);
  }
}

TEST(Muon, KeepsTheSingularVectors) {
  const at::Tensor matrix = normal({16, 48}, 5);
  const auto [u, s, v] = at::linalg_svd(matrix, false);
  const at::Tensor ideal = at::matmul(u, v);
  const at::Tensor got = orthogonalize(matrix);
  const float cosine = ((ideal * got).sum() / (ideal.norm() * got.norm())).item<float>();
  EXPECT_GT(cosine, 0.95F);
}

// A first AdamW step moves each value by the learning rate against the sign of its gradient, whatever its size.
TEST(AdamW, FirstStepHasTheSizeOfTheLearningRate) {
  const at::Tensor value = at::full({3}, 1.0F).set_requires_grad(true);
  Optimizer optimizer({{"norm.weight", value}}, {.adamw_lr = 0.01});
  (value * at::full({3}, 500.0F)).sum().backward();
  optimizer.step(1.0, 1.0);
  EXPECT_NEAR(value[0].item<float>(), 0.99F, 1e-5F);
}

TEST(AdamW, TakesMatricesTooWhereMuonIsOffAndDecaysThem) {
  const at::Tensor matrix = at::full({2, 2}, 1.0F).set_requires_grad(true);
  Optimizer optimizer({{"layers.0.q_proj.lora_A", matrix}}, {.adamw_lr = 0.01, .adamw_decay = 0.5, .muon = false});
  (matrix * 3).sum().backward();
  optimizer.step(1.0, 1.0);
  EXPECT_NEAR(matrix[0][0].item<float>(), 1 - 0.01F * 0.5F - 0.01F, 1e-5F);
  EXPECT_EQ(optimizer.state().size(), 2U);
}

TEST(Optimizer, ReducesALossAndAZeroScaleChangesNothing) {
  const at::Tensor matrix = normal({8, 8}, 1).set_requires_grad(true), vector = normal({8}, 2).set_requires_grad(true);
  Optimizer optimizer({{"layers.0.q_proj.weight", matrix}, {"norm.weight", vector}}, {.adamw_lr = 0.05});
  const auto loss = [&] { return (at::matmul(matrix, vector) - 1).square().sum(); };
  const float begin = loss().item<float>();
  for (int i = 0; i < 60; ++i) {
    loss().backward();
    optimizer.step(1.0, 1.0);
  }
  const float end = loss().item<float>();
  EXPECT_LT(end, begin * 0.1F);
  loss().backward();
  optimizer.step(0.0, 1.0);
  EXPECT_EQ(loss().item<float>(), end);
}

TEST(Schedule, WarmsUpStaysAndDecays) {
  const Schedule schedule{10, 80, 100};
  EXPECT_DOUBLE_EQ(schedule.scale(0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.scale(9), 1.0);
  EXPECT_DOUBLE_EQ(schedule.scale(79), 1.0);
  EXPECT_DOUBLE_EQ(schedule.scale(80), 1.0);
  EXPECT_DOUBLE_EQ(schedule.scale(90), 0.5);
  EXPECT_DOUBLE_EQ(schedule.scale(99), 0.05);
  EXPECT_DOUBLE_EQ(schedule.scale(100), 0.0);
}

}  // namespace
}  // namespace weft::adapters
