#include "adapters/train/decoder_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "model/layers/gradients.h"

namespace weft::adapters {
namespace {

constexpr std::int64_t kLossChunk = 512;  // tokens whose logits are in memory at once

}  // namespace

std::vector<std::int64_t> document_lengths(const RowBatch& batch) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < batch.documents.size(); ++i) {
    if (i == 0 || batch.documents[i] != batch.documents[i - 1]) out.push_back(0);
    ++out.back();
  }
  return out;
}

at::Tensor cross_entropy_sum(const std::function<at::Tensor(const at::Tensor&)>& logits, const at::Tensor& hidden,
                             const at::Tensor& targets, std::span<const float> weights) {
  const auto wanted = targets.split(kLossChunk);
  const auto parts = hidden.split(kLossChunk);
  const at::Tensor all_weights = weights.empty() ? at::ones({targets.size(0)}) : at::tensor(weights);
  const auto weight = all_weights.split(kLossChunk);
  at::Tensor total = at::zeros({}, at::kFloat);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const at::Tensor scores = logits(parts[i]).to(at::kFloat);
    total = total + model::cross_entropy(scores, wanted[i], weight[i], RowBatch::kIgnored);
  }
  return total;
}

}  // namespace weft::adapters
