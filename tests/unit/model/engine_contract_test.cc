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
                               .parameters = config->parameters()};
  return std::make_shared<model::TorchRunner>(*config, *std::move(transformer), communicator, info, at::kFloat, 1);
}

INSTANTIATE_TEST_SUITE_P(Torch, EngineContract,
                         testing::ValuesIn(engine_cases({"Tiny", tiny_runner, std::make_shared<ByteTokenizer>()})),
                         engine_case_name);

}  // namespace
}  // namespace weft::test
