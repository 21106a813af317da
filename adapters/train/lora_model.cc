#include "adapters/train/lora_model.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "adapters/train/decoder_loss.h"
#include "model/backend.h"
#include "model/weight_reader.h"
#include "model/weights/checkpoint.h"

namespace weft::adapters {

RowBatch pack_examples(std::span<const TokenExample* const> examples) {
  RowBatch batch;
  batch.rows = 1;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    std::vector<TokenId> tokens = examples[i]->prompt;
    tokens.insert(tokens.end(), examples[i]->answer.begin(), examples[i]->answer.end());
    const std::size_t begin = batch.targets.size();
    append_piece(batch, static_cast<std::int64_t>(i), tokens);
    // The prompt's last token is the first that has a target: the answer's first.
    const std::size_t given = examples[i]->prompt.size() - 1;
    std::fill_n(batch.targets.begin() + static_cast<std::ptrdiff_t>(begin), given, RowBatch::kIgnored);
    batch.scored -= given;
    batch.weights.resize(batch.targets.size(), 1);
    batch.weights[begin + given] = static_cast<float>(examples[i]->first_counts);
  }
  batch.length = batch.ids.size();
  return batch;
}

Expected<LoraModel> LoraModel::open(const std::string& directory, const model::ModelConfig& config,
                                    LoraFactors factors) {
  const auto checkpoint = model::Checkpoint::open(directory);
  if (!checkpoint) return checkpoint.error();
  const at::ScalarType dtype = model::multiplies_bf16() ? at::kBFloat16 : at::kFloat;
  const auto lookup = [&](const model::WeightSpec& spec) { return model::read_weight(*checkpoint, spec, dtype); };
  auto solo = std::make_unique<model::SoloCommunicator>();
  auto transformer = model::Transformer::bind(config, lookup, *solo);
  if (!transformer) return transformer.error();
  return LoraModel(*std::move(transformer), std::move(solo), std::move(factors));
}

at::Tensor LoraModel::loss_sum(std::span<const TokenExample* const> examples) const {
  const RowBatch batch = pack_examples(examples);
  std::vector<std::int64_t> rows, targets;
  std::vector<float> weights;
  for (std::size_t i = 0; i < batch.targets.size(); ++i) {
    if (batch.targets[i] == RowBatch::kIgnored) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    targets.push_back(batch.targets[i]);
    weights.push_back(batch.weights[i]);
  }
  model::DocumentAttention attention(document_lengths(batch));
  const at::Tensor hidden =
      transformer_.hidden(at::tensor(batch.ids, at::kLong), at::tensor(batch.positions, at::kLong),
                          {.attention = attention, .deltas = &factors_});
  return cross_entropy_sum([&](const at::Tensor& x) { return transformer_.logits(x); },
                           at::index_select(hidden, 0, at::tensor(rows, at::kLong)), at::tensor(targets, at::kLong),
                           weights);
}

}  // namespace weft::adapters
