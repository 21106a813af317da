// TrainableModel: fp32 master weights of a decoder, run through model/layers with autograd, in bf16 where the processor
// multiplies it, else in fp32. Learns from rows of packed documents or from a task's examples. Training thread only.
#pragma once

#include <string>
#include <vector>

#include "adapters/train/finetune.h"
#include "adapters/train/model_weights.h"
#include "adapters/train/row_sampler.h"

namespace weft::adapters {

class TrainableModel final : public FinetuneModel {
 public:
  static TrainableModel random(const model::ModelConfig& config, std::uint64_t seed);
  // Weights of a packaged model of the same shape.
  static Expected<TrainableModel> from_directory(const model::ModelConfig& config, const std::string& directory);

  [[nodiscard]] const model::ModelConfig& config() const { return config_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const override { return parameters_; }

  // Sum of the scored targets' negative log-likelihoods in nats, a scalar with a graph.
  [[nodiscard]] at::Tensor loss_sum(const RowBatch& batch) const;
  [[nodiscard]] at::Tensor loss_sum(std::span<const TokenExample* const> examples) const override;

  Expected<void> package(const std::string& directory, const std::string& tokenizer) const {
    return package_model(config_, parameters_, directory, tokenizer);
  }

 private:
  TrainableModel(model::ModelConfig config, std::vector<Parameter> parameters)
      : config_(std::move(config)), parameters_(std::move(parameters)) {
    WEFT_CHECK(!config_.encoder);
  }
  model::ModelConfig config_;
  std::vector<Parameter> parameters_;  // in the order of weight_specs
};

}  // namespace weft::adapters
