#include "model/layers/gradients.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "model/layers/attention.h"

namespace weft::model {
namespace {

using Tensors = std::vector<at::Tensor>;
using Operation = std::function<at::Tensor(const Tensors&)>;

at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::kFloat);
}

// What the operation gives, and the gradients of its product with fixed numbers.
Tensors run(const Operation& operation, const Tensors& inputs) {
  Tensors leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.clone().set_requires_grad(true));
  const at::Tensor out = operation(leaves);
  (out * random(out.sizes(), 99)).sum().backward();
  Tensors results = {out.detach()};
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

void expect_same(const Operation& own, const Operation& reference, const Tensors& inputs, double tolerance = 2e-5) {
  const Tensors got = run(own, inputs), expected = run(reference, inputs);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(at::allclose(got[i], expected[i], tolerance, tolerance))
        << "result " << i << ", off by " << (got[i] - expected[i]).abs().max().item<float>();
  }
}

TEST(Gradients, RmsNorm) {
  for (const double offset : {0.0, 1.0}) {
    for (const std::vector<std::int64_t>& shape :
         std::vector<std::vector<std::int64_t>>{{3, 7}, {130, 256}, {40, 4, 64}}) {
      expect_same([&](const Tensors& in) { return rms_norm(in[0], in[1], 1e-3, offset); },
                  [&](const Tensors& in) {
                    const at::Tensor scaled = in[0] * at::rsqrt(in[0].square().mean(-1, /*keepdim=*/true) + 1e-3);
                    return scaled * (in[1] + offset);
                  },
                  {random(shape, 1), random({shape.back()}, 2)});
    }
  }
}

TEST(Gradients, RmsNormOfAWeightThatIsNotTrained) {
  const at::Tensor weight = random({16}, 2);
  expect_same(
      [&](const Tensors& in) { return rms_norm(in[0], weight, 1e-6, 0); },
      [&](const Tensors& in) { return in[0] * at::rsqrt(in[0].square().mean(-1, /*keepdim=*/true) + 1e-6) * weight; },
      {random({5, 16}, 1)});
}

TEST(Gradients, SiluGate) {
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{3, 7}, {200, 704}}) {
    expect_same([](const Tensors& in) { return silu_gate(in[0], in[1]); },
                [](const Tensors& in) { return at::silu(in[0]) * in[1]; }, {random(shape, 1) * 4, random(shape, 2)});
  }
}

TEST(Gradients, Rotation) {
  const at::Tensor half = random({50, 1, 8}, 3), angles = at::cat({half, half}, -1);
  const at::Tensor cos = angles.cos(), sin = angles.sin();
  expect_same([&](const Tensors& in) { return rotate_heads(in[0], cos, sin); },
              [&](const Tensors& in) {
                const at::Tensor turned = at::cat({-in[0].narrow(-1, 8, 8), in[0].narrow(-1, 0, 8)}, -1);
                return in[0] * cos + turned * sin;
              },
              {random({50, 3, 16}, 1)});
}

TEST(Gradients, CrossEntropyWithWeightsAndIgnoredTargets) {
  constexpr std::int64_t kIgnored = -100;
  for (const std::int64_t vocabulary : {5, 64, 1003}) {
    const at::Tensor targets = at::tensor(std::vector<std::int64_t>{0, kIgnored, vocabulary - 1, 3, 2});
    const at::Tensor weights = at::tensor(std::vector<float>{1, 1, 0.25F, 0, 16});
    const Tensors inputs = {random({5, vocabulary}, 1) * 5 - 300};
    // The scores' memory is given away, so they are a copy that nobody else needs.
    expect_same([&](const Tensors& in) { return cross_entropy(in[0] * 1.0, targets, weights, kIgnored); },
                [&](const Tensors& in) {
                  const at::Tensor nats = at::cross_entropy_loss(in[0], targets, {}, at::Reduction::None, kIgnored);
                  return (nats * weights).sum();
                },
                inputs, 1e-3);
  }
}

// Every query and key at once, as the definition says.
at::Tensor attended(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, std::int64_t window) {
  const std::int64_t tokens = q.size(0), group = q.size(1) / k.size(1);
  const at::Tensor keys = k.repeat_interleave(group, 1).permute({1, 2, 0}), values = v.repeat_interleave(group, 1);
  at::Tensor seen = at::ones({tokens, tokens}, at::kBool).tril();
  if (window > 0) seen = seen.logical_and(at::ones({tokens, tokens}, at::kBool).triu(1 - window));
  const at::Tensor scores =
      (q.transpose(0, 1).matmul(keys) * scale).masked_fill(seen.logical_not(), -std::numeric_limits<float>::infinity());
  return scores.softmax(-1).matmul(values.transpose(0, 1)).transpose(0, 1);
}

TEST(Gradients, DocumentAttentionByBlocks) {
  for (const std::int64_t window : {0, 1, 50, 200}) {
    for (const std::int64_t tokens : {1, 128, 129, 300}) {
      const Operation own = [&](const Tensors& in) {
        DocumentAttention attention({tokens, 3});
        return attention.attend({.scale = 0.3, .window = window}, in[0], in[1], in[2]);
      };
      const Operation reference = [&](const Tensors& in) {
        const auto part = [&](std::int64_t first, std::int64_t count) {
          return attended(in[0].narrow(0, first, count), in[1].narrow(0, first, count), in[2].narrow(0, first, count),
                          0.3, window);
        };
        return at::cat({part(0, tokens), part(tokens, 3)}, 0);
      };
      expect_same(own, reference,
                  {random({tokens + 3, 4, 8}, 1), random({tokens + 3, 2, 8}, 2), random({tokens + 3, 2, 8}, 3)});
    }
  }
}

}  // namespace
}  // namespace weft::model
