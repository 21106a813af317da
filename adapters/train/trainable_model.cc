#include "adapters/train/trainable_model.h"

#include <ATen/ops/tensor.h>

#include "adapters/train/decoder_loss.h"
#include "adapters/train/lora_model.h"

namespace weft::adapters {

TrainableModel TrainableModel::random(const model::ModelConfig& config, std::uint64_t seed) {
  return {config, draw_weights(config, seed)};
}

Expected<TrainableModel> TrainableModel::from_directory(const model::ModelConfig& config,
                                                        const std::string& directory) {
  auto weights = read_weights(config, directory);
  if (!weights) return weights.error();
  return TrainableModel(config, *std::move(weights));
}

at::Tensor TrainableModel::loss_sum(const RowBatch& batch) const {
  model::SoloCommunicator solo;
  const auto transformer = model::Transformer::bind(config_, cast_for_pass(parameters_), solo);
  WEFT_CHECK(transformer.has_value());
  model::DocumentAttention attention(document_lengths(batch));
  const at::Tensor hidden = transformer->hidden(at::tensor(batch.ids, at::kLong),
                                                at::tensor(batch.positions, at::kLong), {.attention = attention});
  return cross_entropy_sum([&](const at::Tensor& x) { return transformer->logits(x); }, hidden,
                           at::tensor(batch.targets, at::kLong), batch.weights);
}

at::Tensor TrainableModel::loss_sum(std::span<const TokenExample* const> examples) const {
  return loss_sum(pack_examples(examples));
}

}  // namespace weft::adapters
