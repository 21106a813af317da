// Groups of real rank processes over real model directories, and the solo runner that they are held to. Test's thread
// only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "model/base/check.h"
#include "model/group_runner.h"
#include "model/layers/transformer.h"
#include "model/load_runner.h"
#include "model/parallel/communicator.h"
#include "model/weights/safetensors.h"
#include "tests/support/watched_runner.h"

namespace weft::test {

// Absolute below 1, relative above; as the parity tests have it.
constexpr double kTolerance = 1e-5;

inline std::string golden_directory(const std::string& family) {
  return std::string(WEFT_SOURCE_DIR) + "/tests/parity/golden/" + family;
}

inline std::string default_directory() { return std::string(WEFT_SOURCE_DIR) + "/model/default"; }

// A folder of tests/parity/golden over so many ranks.
struct FamilyCase {
  std::string family;
  int ranks;
};

inline void PrintTo(const FamilyCase& each, std::ostream* out) { *out << each.family << each.ranks; }

inline std::string family_name(const testing::TestParamInfo<FamilyCase>& info) {
  return info.param.family + "_" + std::to_string(info.param.ranks);
}

inline std::vector<FamilyCase> cases_of(const std::vector<std::string>& families) {
  std::vector<FamilyCase> out;
  for (const std::string& family : families) {
    for (const int ranks : {2, 4}) out.push_back({family, ranks});  // 4: two ranks a KV head
  }
  return out;
}

inline std::vector<std::string> decoders() {
  return {"llama",        "llama_bias", "llama3", "deepseek_coder", "mistral",    "qwen2",
          "qwen2_window", "qwen2_yarn", "qwen3",  "qwen3_moe",      "starcoder2", "gemma",
          "granite",      "stablelm",   "mellum", "gpt_bigcode",    "gpt2"};
}

inline std::vector<std::string> all_families() {
  std::vector<std::string> out = decoders();
  out.insert(out.end(), {"t5", "t5_v1_1"});
  return out;
}

inline model::LoadOptions load_options(const std::string& directory, model::DType dtype) {
  model::LoadOptions options;
  options.directory = directory;
  options.dtype = dtype;
  options.threads = 1;
  return options;
}

inline std::unique_ptr<model::ModelRunner> solo_runner(const std::string& directory,
                                                       model::DType dtype = model::DType::kFloat32) {
  const auto config = model::read_model_config(directory);
  WEFT_CHECK(config.has_value());
  auto runner =
      model::load_runner(*config, load_options(directory, dtype), std::make_shared<model::SoloCommunicator>());
  WEFT_CHECK(runner.has_value());
  return *std::move(runner);
}

// Rank 0's own share with a gate before each step, so that a test can do something while the others are at it.
struct Group {
  std::unique_ptr<model::ModelRunner> runner;
  std::shared_ptr<std::shared_ptr<WatchedRunner>> own = std::make_shared<std::shared_ptr<WatchedRunner>>();
};

class Share final : public model::ModelRunner {
 public:
  explicit Share(std::shared_ptr<WatchedRunner> watched) : watched_(std::move(watched)) {}
  [[nodiscard]] const model::RunnerInfo& info() const override { return watched_->info(); }
  [[nodiscard]] std::size_t free_kv_tokens() const override { return watched_->free_kv_tokens(); }
  Expected<model::StepResult> step(const model::StepPlan& plan) override { return watched_->step(plan); }
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const model::LoraAdapter> adapter) override {
    return watched_->install_adapter(id, std::move(adapter));
  }
  void remove_adapter(AdapterId id) override { watched_->remove_adapter(id); }

 private:
  std::shared_ptr<WatchedRunner> watched_;
};

inline model::GroupRunnerOptions group_options(const std::string& directory, int ranks,
                                               model::DType dtype = model::DType::kFloat32) {
  const auto config = model::read_model_config(directory);
  WEFT_CHECK(config.has_value());
  model::GroupRunnerOptions options;
  options.group.size = ranks;
  options.start = {directory, dtype, 1};
  options.own = [config = *config, directory, dtype](std::shared_ptr<model::Communicator> communicator) {
    return model::load_runner(config, load_options(directory, dtype), std::move(communicator));
  };
  return options;
}

inline Group start_group(const std::string& directory, int ranks, model::DType dtype = model::DType::kFloat32) {
  Group group;
  model::GroupRunnerOptions options = group_options(directory, ranks, dtype);
  options.own =
      [load = options.own, own = group.own](
          std::shared_ptr<model::Communicator> communicator) -> Expected<std::unique_ptr<model::ModelRunner>> {
    auto runner = load(std::move(communicator));
    if (!runner) return runner.error();
    *own = std::make_shared<WatchedRunner>(std::shared_ptr<model::ModelRunner>(*std::move(runner)));
    return std::unique_ptr<model::ModelRunner>(std::make_unique<Share>(*own));
  };
  auto runner = model::GroupRunner::start(std::move(options));
  EXPECT_TRUE(runner) << runner.error().message;
  WEFT_CHECK(runner.has_value());
  group.runner = *std::move(runner);
  return group;
}

// The same arbitrary numbers between -0.5 and 0.5 each time.
class Noise {
 public:
  std::vector<float> draw(std::int64_t count) {
    std::vector<float> out;
    for (std::int64_t i = 0; i < count; ++i) {
      state_ = state_ * 1664525 + 1013904223;  // the constants of Numerical Recipes
      out.push_back(static_cast<float>(state_ >> 8) / static_cast<float>(1 << 24) - 0.5F);
    }
    return out;
  }

 private:
  std::uint32_t state_ = 1;
};

// On every linear of the model, of rank 3.
inline std::shared_ptr<const model::LoraAdapter> noisy_adapter(const std::string& directory) {
  const auto config = model::read_model_config(directory);
  WEFT_CHECK(config.has_value());
  model::LoraAdapter adapter{.name = "noisy", .deltas = {}};
  Noise noise;
  for (const model::AdaptableLinear& linear : model::adaptable_linears(*config)) {
    adapter.deltas.push_back({.module = linear.module,
                              .rank = 3,
                              .in = linear.in,
                              .out = linear.out,
                              .scaling = 0.3,
                              .a = noise.draw(3 * linear.in),
                              .b = noise.draw(linear.out * 3)});
  }
  return std::make_shared<const model::LoraAdapter>(std::move(adapter));
}

// A model directory with arbitrary weights, as large as a model of its family can sensibly be small.
inline std::string write_tiny_model(int vocabulary) {
  const std::string directory = testing::TempDir() + "tiny_model_" + std::to_string(vocabulary);
  std::filesystem::create_directories(directory);
  const std::string json = fmt::format(
      R"({{"architectures": ["Qwen3ForCausalLM"], "vocab_size": {}, "hidden_size": 32, "intermediate_size": 48,
           "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
           "max_position_embeddings": 256, "tie_word_embeddings": true}})",
      vocabulary);
  std::ofstream(directory + "/config.json") << json;
  const auto config = model::parse_model_config(json, "tiny");
  WEFT_CHECK(config.has_value());
  std::vector<std::vector<float>> values;
  std::vector<model::NamedTensorView> views;
  Noise noise;
  for (const model::WeightSpec& spec : model::weight_specs(*config)) {
    std::int64_t count = 1;
    for (const std::int64_t size : spec.shape) count *= size;
    const std::vector<float>& numbers = values.emplace_back(noise.draw(count));
    views.push_back({spec.name, {model::Dtype::kF32, spec.shape, std::as_bytes(std::span(numbers))}});
  }
  const auto written = model::write_safetensors(directory + "/model.safetensors", views);
  WEFT_CHECK(written.has_value());
  return directory;
}

// Processes that this one started and that have not been waited for.
inline std::vector<int> children() {
  std::vector<int> out;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(thread.path() / "children");
    for (int process = 0; file >> process;) out.push_back(process);
  }
  return out;
}

inline std::vector<TokenId> tokens_of(std::initializer_list<int> ids) {
  std::vector<TokenId> out;
  for (const int id : ids) out.emplace_back(id);
  return out;
}

inline model::StepSequence part(int sequence, int start, std::vector<TokenId> tokens) {
  return {.sequence = SequenceId(static_cast<std::uint64_t>(sequence)),
          .start = Position(start),
          .tokens = std::move(tokens)};
}

inline void expect_same_logits(const Expected<model::StepResult>& actual, const Expected<model::StepResult>& expected,
                               const std::string& where) {
  ASSERT_TRUE(actual) << where << ": " << actual.error().message;
  ASSERT_TRUE(expected) << where << ": " << expected.error().message;
  ASSERT_EQ(actual->logits.size(), expected->logits.size()) << where;
  ASSERT_EQ(actual->vocabulary, expected->vocabulary);
  double worst = 0;
  for (std::size_t i = 0; i < actual->logits.size(); ++i) {
    const double wanted = expected->logits[i];
    worst = std::max(worst, std::abs(actual->logits[i] - wanted) / std::max(1.0, std::abs(wanted)));
  }
  EXPECT_LT(worst, kTolerance) << where;
}

}  // namespace weft::test
