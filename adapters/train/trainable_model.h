// TrainableModel: fp32 master weights of a decoder, run through model/layers with autograd, in bf16 where the processor
// multiplies it, else in fp32. Training thread only.
#pragma once

#include <string>
#include <vector>

#include "adapters/train/optimizer.h"
#include "adapters/train/row_sampler.h"
#include "model/base/expected.h"
#include "model/layers/transformer.h"

namespace weft::adapters {

class TrainableModel {
 public:
  // Weights drawn from N(0, 0.02²), those that write to the residual stream scaled down by its depth (Radford et al.
  // 2019).
  static TrainableModel random(const model::ModelConfig& config, std::uint64_t seed);
  // Weights of a packaged model of the same shape.
  static Expected<TrainableModel> from_directory(const model::ModelConfig& config, const std::string& directory);

  [[nodiscard]] const model::ModelConfig& config() const { return config_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }

  // Sum of the scored targets' negative log-likelihoods in nats, a scalar with a graph.
  [[nodiscard]] at::Tensor loss_sum(const RowBatch& batch) const;

  // Writes config.json, tokenizer.model (copied from `tokenizer`) and model.safetensors in bf16.
  Expected<void> package(const std::string& directory, const std::string& tokenizer) const;

 private:
  TrainableModel(model::ModelConfig config, std::vector<Parameter> parameters)
      : config_(std::move(config)), parameters_(std::move(parameters)) {}
  model::ModelConfig config_;
  std::vector<Parameter> parameters_;  // in the order of weight_specs
};

}  // namespace weft::adapters
