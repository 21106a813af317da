// The loss of a decoder on rows of documents. Training thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "adapters/train/row_sampler.h"
#include "model/layers/transformer.h"

namespace weft::adapters {

// Tokens of each document of the batch, in order: runs of the same number.
[[nodiscard]] std::vector<std::int64_t> document_lengths(const RowBatch& batch);

// hidden: [N, hidden], after the last norm; targets: [N] i64, some RowBatch::kIgnored. The sum of the others' negative
// log-likelihoods in nats, a scalar. Few tokens' logits are in memory at once.
[[nodiscard]] at::Tensor cross_entropy_sum(const model::Transformer& transformer, const at::Tensor& hidden,
                                           const at::Tensor& targets);

}  // namespace weft::adapters
