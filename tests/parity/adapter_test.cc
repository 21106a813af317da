// Parity of adapters: what PEFT wrote is read and has PEFT's effect, and what weft writes is what PEFT wrote.
// tests/parity/make_adapter_golden.py made the goldens; tests/parity/check_adapter.py has PEFT read what weft writes.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "adapters/lora/peft.h"
#include "adapters/train/lora_factors.h"
#include "model/layers/transformer.h"
#include "model/lora_bank.h"
#include "model/tensor_file.h"
#include "model/weight_reader.h"
#include "model/weights/safetensors.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
constexpr double kTolerance = 1e-5;  // absolute below 1, relative above
// Serving folds the scaling into B, a rounding that PEFT does not have; qwen2's adapter makes scores so large that it
// grows.
constexpr double kServedTolerance = 5e-4;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AdapterParity : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = fs::path(WEFT_SOURCE_DIR) / "tests/parity/golden" / GetParam();
    auto config = model::read_model_config(folder_.string());
    ASSERT_TRUE(config) << config.error().message;
    config_ = *std::move(config);
    auto files = read_adapter((folder_ / "adapter").string(), config_, "");
    ASSERT_TRUE(files) << files.error().message;
    files_ = *std::move(files);
  }

  [[nodiscard]] at::Tensor logits(const at::Tensor& ids, const model::Deltas* deltas) {
    const auto checkpoint = model::Checkpoint::open(folder_.string());
    EXPECT_TRUE(checkpoint);
    model::SoloCommunicator solo;
    const auto transformer = model::Transformer::bind(
        config_, [&](const model::WeightSpec& spec) { return model::read_weight(*checkpoint, spec, at::kFloat); },
        solo);
    EXPECT_TRUE(transformer);
    model::DocumentAttention attention({ids.size(0)});
    return transformer->logits(
        transformer->hidden(ids, at::arange(ids.size(0), at::kLong), {.attention = attention, .deltas = deltas}));
  }

  static at::Tensor tensor(const fs::path& path, const std::string& name) {
    const auto file = model::SafetensorsFile::open(path.string());
    EXPECT_TRUE(file) << file.error().message;
    const auto view = (*file)->find(name);
    EXPECT_TRUE(view) << view.error().message;
    return model::to_tensor(*view);
  }

  fs::path folder_;
  model::ModelConfig config_;
  AdapterFiles files_;
};

double largest_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).abs() / expected.abs().clamp_min(1.0)).max().item<double>();
}

TEST_P(AdapterParity, LogitsAreThoseOfPeft) {
  const LoraFactors factors(config_, files_.adapter);
  for (const std::string document : {"a", "b"}) {
    const at::Tensor ids = tensor(folder_ / "golden.safetensors", document + ".ids");
    const at::Tensor expected = tensor(folder_ / "adapter/golden.safetensors", document + ".logits");
    EXPECT_LT(largest_error(logits(ids, &factors), expected), kTolerance) << document;
    EXPECT_GT(largest_error(logits(ids, nullptr), expected), 0.1) << "the adapter has no effect in the golden";
  }
}

TEST_P(AdapterParity, ServedLogitsAreThoseOfPeft) {
  model::LoraBank bank(config_, model::SoloCommunicator(), **model::serving_cpu(2));
  const auto installed = bank.install(AdapterId(1), files_.adapter);
  ASSERT_TRUE(installed) << installed.error().message;
  for (const std::string document : {"a", "b"}) {
    const at::Tensor ids = tensor(folder_ / "golden.safetensors", document + ".ids");
    const std::vector<model::AdapterRows> rows{{AdapterId(1), ids.size(0)}};
    const auto deltas = bank.deltas_for(rows);
    const at::Tensor expected = tensor(folder_ / "adapter/golden.safetensors", document + ".logits");
    EXPECT_LT(largest_error(logits(ids, deltas.get()), expected), kServedTolerance) << document;
  }
}

TEST_P(AdapterParity, WhatIsWrittenIsWhatPeftWrote) {
  const fs::path out = fs::path(::testing::TempDir()) / ("adapter_parity_" + GetParam());
  fs::remove_all(out);
  AdapterFiles files = files_;
  files.info.task = "bug-detection";
  files.info.base_sha256 = std::string(64, 'a');
  files.info.threshold = 0.75;
  ASSERT_TRUE(write_adapter(out.string(), files));
  EXPECT_TRUE(read(out / "adapter_model.safetensors") == read(folder_ / "adapter/adapter_model.safetensors"));
  EXPECT_EQ(read(out / "adapter_config.json"), read(folder_ / "adapter/weft_adapter_config.json"));

  const auto again = read_adapter(out.string(), config_, files.info.base_sha256);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->info.threshold, 0.75);
  ASSERT_EQ(again->adapter.deltas.size(), files_.adapter.deltas.size());
  for (std::size_t i = 0; i < files_.adapter.deltas.size(); ++i) {
    const model::LoraDelta& was = files_.adapter.deltas[i];
    const model::LoraDelta& is = again->adapter.deltas[i];
    EXPECT_EQ(is.module, was.module);
    EXPECT_EQ(is.rank, was.rank) << was.module;
    EXPECT_DOUBLE_EQ(is.scaling, was.scaling) << was.module;
    EXPECT_EQ(is.a, was.a) << was.module;
    EXPECT_EQ(is.b, was.b) << was.module;
  }
  if (!HasFailure()) fs::remove_all(out);  // else it shows what the golden would have to be
}

INSTANTIATE_TEST_SUITE_P(Families, AdapterParity, ::testing::Values("llama", "qwen2", "qwen3", "gpt2", "gpt_bigcode"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft::adapters
