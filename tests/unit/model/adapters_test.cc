// Adapters of the real runner on the tiny checkpoints: what they add is what merging them into the weights would, and
// the shares of several ranks sum up to the whole.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/lora_bank.h"
#include "model/torch_runner.h"
#include "model/weight_reader.h"
#include "model/weights/checkpoint.h"

namespace weft::model {
namespace {

constexpr double kTolerance = 1e-5;  // absolute below 1, relative above

std::vector<float> random_numbers(std::int64_t count, at::Generator& random) {
  const at::Tensor drawn = at::randn({count}, random);
  const auto* begin = drawn.const_data_ptr<float>();
  return {begin, begin + count};
}

at::Tensor matrix(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat).clone();
}

class Adapters : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::string(WEFT_SOURCE_DIR) + "/tests/parity/golden/" + GetParam();
    auto config = read_model_config(folder_);
    ASSERT_TRUE(config) << config.error().message;
    config_ = *std::move(config);
  }

  // Every linear of the model, ranks of 1 to 4.
  [[nodiscard]] LoraAdapter random_adapter(std::uint64_t seed) const {
    at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
    LoraAdapter adapter{"random", {}};
    for (const AdaptableLinear& linear : adaptable_linears(config_)) {
      const std::int64_t rank = 1 + static_cast<std::int64_t>(adapter.deltas.size()) % 4;
      adapter.deltas.push_back({.module = linear.module,
                                .rank = rank,
                                .in = linear.in,
                                .out = linear.out,
                                .scaling = 0.02,
                                .a = random_numbers(rank * linear.in, random),
                                .b = random_numbers(linear.out * rank, random)});
    }
    return adapter;
  }

  // W + scaling * B A where there is a delta.
  [[nodiscard]] std::unique_ptr<TorchRunner> runner(const LoraAdapter& merged = {}) const {
    const auto checkpoint = Checkpoint::open(folder_);
    EXPECT_TRUE(checkpoint);
    const auto lookup = [&](const WeightSpec& spec) -> Expected<at::Tensor> {
      auto weight = read_weight(*checkpoint, spec, at::kFloat);
      for (const LoraDelta& delta : merged.deltas) {
        if (!weight || delta.module + ".weight" != spec.tensor) continue;
        const at::Tensor product = matrix(delta.b, delta.out, delta.rank).matmul(matrix(delta.a, delta.rank, delta.in));
        weight = *weight + delta.scaling * product.narrow(0, spec.first_row, spec.shape[0]);
      }
      return weight;
    };
    auto communicator = std::make_shared<SoloCommunicator>();
    auto transformer = Transformer::bind(config_, lookup, *communicator);
    EXPECT_TRUE(transformer);
    const RunnerInfo info{.name = config_.name,
                          .device = "cpu",
                          .dtype = "fp32",
                          .vocabulary = static_cast<std::size_t>(config_.vocabulary),
                          .max_positions = static_cast<std::size_t>(config_.max_positions),
                          .parameters = config_.parameters()};
    return std::make_unique<TorchRunner>(config_, *std::move(transformer), communicator, info,
                                         TorchRunner::Options{**serving_cpu(1), KvFormat::kFloat32, 4096});
  }

  [[nodiscard]] StepSequence part(std::uint64_t id, std::int32_t start, std::size_t count, AdapterId adapter) const {
    StepSequence out{SequenceId(id), Position(start), {}, true, adapter};
    for (std::size_t i = 0; i < count; ++i) {
      const auto token = (static_cast<std::int32_t>(i) * 7 + start * 3 + static_cast<std::int32_t>(id)) % 50;
      out.tokens.emplace_back(token % config_.vocabulary);
    }
    return out;
  }

  static void expect_close(std::span<const float> actual, std::span<const float> expected, std::string_view what) {
    ASSERT_EQ(actual.size(), expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      worst = std::max(worst, std::abs(actual[i] - expected[i]) / std::max<double>(1, std::abs(expected[i])));
    }
    EXPECT_LE(worst, kTolerance) << what;
  }

  std::string folder_;
  ModelConfig config_;
};

constexpr AdapterId kOne{1}, kOther{2};

TEST_P(Adapters, AStepWithAnAdapterIsOneOfTheMergedModel) {
  const LoraAdapter one = random_adapter(1);
  const auto served = runner(), merged = runner(one);
  ASSERT_TRUE(served->install_adapter(kOne, std::make_shared<const LoraAdapter>(one)));
  for (const auto& [start, count] : {std::pair{0, 13}, {13, 1}, {14, 3}, {5, 2}}) {
    StepSequence adapted = part(1, start, static_cast<std::size_t>(count), kOne), plain = adapted;
    plain.adapter = AdapterId();
    const auto a = served->step({.sequences = {adapted}}), b = merged->step({.sequences = {plain}});
    ASSERT_TRUE(a && b);
    expect_close(a->row(0), b->row(0), std::to_string(start));
  }
}

TEST_P(Adapters, ABatchOfSeveralIsEachAlone) {
  const LoraAdapter one = random_adapter(1), other = random_adapter(2);
  const auto served = runner();
  ASSERT_TRUE(served->install_adapter(kOne, std::make_shared<const LoraAdapter>(one)));
  ASSERT_TRUE(served->install_adapter(kOther, std::make_shared<const LoraAdapter>(other)));
  const std::map<AdapterId, LoraAdapter> merged = {{AdapterId(), {}}, {kOne, one}, {kOther, other}};
  const StepPlan mixed{.sequences = {part(1, 0, 9, kOne), part(2, 0, 4, AdapterId()), part(3, 0, 1, kOther),
                                     part(4, 0, 6, kOther), part(5, 0, 3, kOne)}};
  const auto together = served->step(mixed);
  ASSERT_TRUE(together) << together.error().message;
  for (std::size_t i = 0; i < mixed.sequences.size(); ++i) {
    StepSequence plain = mixed.sequences[i];
    const auto alone = runner(merged.at(plain.adapter));
    plain.adapter = AdapterId();
    const auto result = alone->step({.sequences = {plain}});
    ASSERT_TRUE(result);
    expect_close(together->row(i), result->row(0), std::to_string(i));
  }
}

TEST_P(Adapters, WhatDoesNotFitIsRefusedByNameAndValues) {
  const auto served = runner();
  const auto error_of = [&](const std::function<void(LoraDelta&)>& change) {
    LoraAdapter adapter = random_adapter(1);
    change(adapter.deltas.at(3));
    const auto installed = served->install_adapter(kOne, std::make_shared<const LoraAdapter>(std::move(adapter)));
    EXPECT_FALSE(installed);
    return installed ? "" : installed.error().message;
  };
  const std::string module = random_adapter(1).deltas.at(3).module;
  EXPECT_EQ(error_of([](LoraDelta& d) { d.module = "model.layers.0.mlp.w1"; }),
            "adapter random: the model has no linear model.layers.0.mlp.w1");
  EXPECT_EQ(error_of([](LoraDelta& d) { d.module = "model.embed_tokens"; }),
            "adapter random: the model has no linear model.embed_tokens");
  EXPECT_THAT(error_of([](LoraDelta& d) { d.in += 1; }), ::testing::HasSubstr("shape mismatch for " + module));
  EXPECT_THAT(error_of([](LoraDelta& d) { d.a.pop_back(); }), ::testing::HasSubstr(module + ".lora_A of shape"));
  EXPECT_THAT(error_of([](LoraDelta& d) { d.b.push_back(0); }), ::testing::HasSubstr(module + ".lora_B of shape"));
  EXPECT_THAT(error_of([](LoraDelta& d) { d.rank = 0; }), ::testing::HasSubstr("has rank 0"));
  LoraAdapter twice = random_adapter(1);
  const std::string first = twice.deltas.front().module;
  twice.deltas.push_back(twice.deltas.front());
  const auto installed = served->install_adapter(kOne, std::make_shared<const LoraAdapter>(std::move(twice)));
  EXPECT_EQ(installed.error().message, "adapter random: " + first + " stands twice");
}

INSTANTIATE_TEST_SUITE_P(Families, Adapters,
                         ::testing::Values("llama", "llama_bias", "qwen2", "qwen3", "gpt2", "gpt_bigcode"),
                         [](const auto& info) { return info.param; });

// One rank of a group that never meets: the tests below sum and join the shares themselves.
class LoneRank final : public Communicator {
 public:
  LoneRank(int rank, int size) : rank_(rank), size_(size) {}
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] Rank rank() const override { return Rank{rank_}; }
  at::Tensor all_reduce_sum(const at::Tensor& local) override { return local; }
  at::Tensor all_gather_last(const at::Tensor& local) override { return local; }
  void abort(const std::string& /*reason*/) noexcept override {}
  [[nodiscard]] bool aborted() const override { return false; }

 private:
  int rank_, size_;
};

class AdapterShares : public ::testing::TestWithParam<int> {
 protected:
  static constexpr const char* kConfig = R"({
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 64, "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": true
  })";

  // What each rank adds for `module`, given its share of x [N, in].
  [[nodiscard]] std::vector<at::Tensor> shares(const LoraDelta& delta, const std::vector<at::Tensor>& x,
                                               std::int64_t out) const {
    const auto config = parse_model_config(kConfig, "tiny");
    WEFT_CHECK(config.has_value());
    std::vector<at::Tensor> added;
    for (int rank = 0; rank < GetParam(); ++rank) {
      LoraBank bank(*config, LoneRank(rank, GetParam()), **serving_cpu(2));
      EXPECT_TRUE(bank.install(kOne, {"one", {delta}}));
      const at::Tensor& own = x[static_cast<std::size_t>(rank)];
      const std::vector<AdapterRows> rows{{kOne, own.size(0)}};
      added.push_back(bank.deltas_for(rows)->apply(delta.module, own, at::zeros({own.size(0), out})));
    }
    return added;
  }
  [[nodiscard]] static LoraDelta delta(std::string module, std::int64_t out, std::int64_t in) {
    at::Generator random = at::make_generator<at::CPUGeneratorImpl>(3);
    return {std::move(module), 3, in, out, 0.5, random_numbers(3 * in, random), random_numbers(out * 3, random)};
  }
  [[nodiscard]] static at::Tensor whole(const LoraDelta& d, const at::Tensor& x) {
    return d.scaling * at::linear(at::linear(x, matrix(d.a, d.rank, d.in)), matrix(d.b, d.out, d.rank));
  }
  [[nodiscard]] static at::Tensor random_rows(std::int64_t width) {
    at::Generator random = at::make_generator<at::CPUGeneratorImpl>(4);
    return at::randn({5, width}, random);
  }
  static void expect_close(const at::Tensor& actual, const at::Tensor& expected) {
    ASSERT_EQ(actual.sizes(), expected.sizes());
    EXPECT_LE((actual - expected).abs().max().item<double>(), 1e-5);
  }
};

TEST_P(AdapterShares, OfARowParallelLinearSumToTheWhole) {
  const LoraDelta down = delta("model.layers.0.mlp.down_proj", 32, 48);
  const at::Tensor x = random_rows(48);
  const std::vector<at::Tensor> added = shares(down, x.chunk(GetParam(), 1), 32);
  at::Tensor sum = at::zeros_like(added.front());
  for (const at::Tensor& each : added) sum = sum + each;
  expect_close(sum, whole(down, x));
}

TEST_P(AdapterShares, OfAColumnParallelLinearJoinToTheWhole) {
  const LoraDelta up = delta("model.layers.0.mlp.up_proj", 48, 32);
  const at::Tensor x = random_rows(32);
  const std::vector<at::Tensor> same(static_cast<std::size_t>(GetParam()), x);
  expect_close(at::cat(shares(up, same, 48 / GetParam()), 1), whole(up, x));
}

TEST_P(AdapterShares, OfKeysAreWholeHeads) {
  const LoraDelta k = delta("model.layers.0.self_attn.k_proj", 16, 32);  // 2 heads of 8
  const at::Tensor x = random_rows(32);
  const std::vector<at::Tensor> same(static_cast<std::size_t>(GetParam()), x);
  const std::int64_t held = std::max(1, 2 / GetParam());
  const std::vector<at::Tensor> added = shares(k, same, held * 8);
  for (int rank = 0; rank < GetParam(); ++rank) {
    const std::int64_t first_head = rank * 2 / GetParam();
    expect_close(added[static_cast<std::size_t>(rank)], whole(k, x).narrow(1, first_head * 8, held * 8));
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, AdapterShares, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace weft::model
