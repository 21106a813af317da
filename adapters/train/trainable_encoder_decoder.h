// TrainableEncoderDecoder: all weights of an encoder-decoder, taught by teacher forcing: the encoder reads a prompt,
// the decoder the answer one token late, and every token of the answer is a target. Training thread only.
#pragma once

#include <span>
#include <vector>

#include "adapters/train/finetune.h"
#include "adapters/train/model_weights.h"

namespace weft::adapters {

class TrainableEncoderDecoder final : public FinetuneModel {
 public:
  // `weights`: all of the model's, see read_weights and draw_weights.
  TrainableEncoderDecoder(model::ModelConfig config, std::vector<Parameter> weights)
      : config_(std::move(config)), weights_(std::move(weights)) {
    WEFT_CHECK(config_.encoder.has_value());
  }
  [[nodiscard]] const std::vector<Parameter>& parameters() const override { return weights_; }
  // The pairs lie end to end, so that none is padded.
  [[nodiscard]] at::Tensor loss_sum(std::span<const TokenExample* const> examples) const override;

 private:
  model::ModelConfig config_;
  std::vector<Parameter> weights_;
};

}  // namespace weft::adapters
