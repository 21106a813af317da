// The engine's contract over the real runner: a tiny decoder with arbitrary weights, in fp32.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/div.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <memory>

#include "model/torch_runner.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/unit/generation/engine_contract.h"
#include "tests/unit/generation/engine_contract_lines.h"
#include "tests/unit/generation/engine_contract_reuse.h"
#include "tests/unit/generation/runner_contract.h"

namespace weft::test {
namespace {

constexpr const char* kConfig = R"({
  "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 263, "hidden_size": 32,
  "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
  "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": true
})";

std::shared_ptr<model::ModelRunner> tiny_runner() {
  auto config = model::parse_model_config(kConfig, "tiny");
  WEFT_CHECK(config.has_value());
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(1);
  const auto weights = [&random](const model::WeightSpec& spec) -> Expected<at::Tensor> {
    if (spec.shape.size() == 1) return at::ones(spec.shape);
    return at::div(at::randn(spec.shape, random), std::sqrt(static_cast<double>(spec.shape.back())));
  };
  const auto communicator = std::make_shared<model::SoloCommunicator>();
  auto transformer = model::Transformer::bind(*config, weights, *communicator);
  WEFT_CHECK(transformer.has_value());
  const model::RunnerInfo info{.name = "tiny",
                               .device = "cpu",
                               .dtype = "fp32",
                               .vocabulary = static_cast<std::size_t>(config->vocabulary),
                               .max_positions = static_cast<std::size_t>(config->max_positions),
                               .parameters = config->parameters(),
                               .kv_block_tokens = 4};  // so that forks end inside of blocks
  return std::make_shared<model::TorchRunner>(
      *config, *std::move(transformer), communicator, info,
      model::TorchRunner::Options{**model::serving_cpu(1), model::KvFormat::kFloat32, 4096});
}

model::LoraDelta random_delta(std::string module, std::int64_t out, std::int64_t in, std::uint64_t seed) {
  constexpr std::int64_t kRank = 4;
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto numbers = [&random](std::int64_t count) {
    const at::Tensor drawn = at::randn({count}, random);
    const auto* begin = drawn.const_data_ptr<float>();
    return std::vector<float>(begin, begin + count);
  };
  return {std::move(module), kRank, in, out, 0.5, numbers(kRank * in), numbers(out * kRank)};
}

std::shared_ptr<const model::LoraAdapter> random_adapter(std::string name, std::uint64_t seed) {
  std::vector<model::LoraDelta> deltas{random_delta("model.layers.0.self_attn.k_proj", 16, 32, seed),
                                       random_delta("model.layers.0.mlp.down_proj", 32, 48, seed + 1),
                                       random_delta("model.layers.1.self_attn.q_proj", 32, 32, seed + 2)};
  return std::make_shared<const model::LoraAdapter>(model::LoraAdapter{std::move(name), std::move(deltas)});
}

EngineModel tiny_model() {
  const auto foreign = std::make_shared<const model::LoraAdapter>(
      model::LoraAdapter{"foreign", {random_delta(kForeignModule, 32, 32, 1)}});
  return {
      "Tiny", tiny_runner, std::make_shared<ByteTokenizer>(), random_adapter("one", 10), random_adapter("other", 20),
      foreign};
}

INSTANTIATE_TEST_SUITE_P(Torch, EngineContract, testing::ValuesIn(engine_cases(tiny_model())), engine_case_name);
INSTANTIATE_TEST_SUITE_P(Torch, RunnerContract, testing::Values(tiny_model()));

}  // namespace
}  // namespace weft::test
