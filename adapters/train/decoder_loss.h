// The loss of a model on the tokens that it is to say. Training thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "adapters/train/row_sampler.h"

namespace weft::adapters {

// Tokens of each document of the batch, in order: runs of the same number.
[[nodiscard]] std::vector<std::int64_t> document_lengths(const RowBatch& batch);

// logits: of a model, [N, hidden] -> [N, V]; hidden: [N, hidden], after the last norm; targets: [N] i64, some
// RowBatch::kIgnored; weights: [N] of the targets, or none: all 1. The weighted sum of the others' negative
// log-likelihoods in nats, a scalar. Few tokens' logits are in memory at once.
[[nodiscard]] at::Tensor cross_entropy_sum(const std::function<at::Tensor(const at::Tensor&)>& logits,
                                           const at::Tensor& hidden, const at::Tensor& targets,
                                           std::span<const float> weights = {});

}  // namespace weft::adapters
