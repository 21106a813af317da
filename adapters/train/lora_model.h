// LoraModel: a frozen decoder with an adapter that is being trained, through the model's own layers. The base's weights
// are cast once, to bf16 where the processor multiplies it, else to fp32. Training thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/train/finetune.h"
#include "adapters/train/lora_factors.h"
#include "adapters/train/row_sampler.h"
#include "model/layers/transformer.h"

namespace weft::adapters {

class LoraModel final : public FinetuneModel {
 public:
  // Error: a base that cannot be read, or whose weights do not fit its configuration.
  static Expected<LoraModel> open(const std::string& directory, const model::ModelConfig& config, LoraFactors factors);

  [[nodiscard]] const std::vector<Parameter>& parameters() const override { return parameters_; }
  [[nodiscard]] at::Tensor loss_sum(std::span<const TokenExample* const> examples) const override;
  [[nodiscard]] model::LoraAdapter to_adapter() const { return factors_.to_adapter(); }

 private:
  LoraModel(model::Transformer transformer, std::unique_ptr<model::Communicator> solo, LoraFactors factors)
      : solo_(std::move(solo)),
        transformer_(std::move(transformer)),
        factors_(std::move(factors)),
        parameters_(factors_.parameters()) {}
  std::unique_ptr<model::Communicator> solo_;
  model::Transformer transformer_;
  LoraFactors factors_;
  std::vector<Parameter> parameters_;
};

// The examples end to end, a document each; only the tokens of answers are targets.
[[nodiscard]] RowBatch pack_examples(std::span<const TokenExample* const> examples);

}  // namespace weft::adapters
