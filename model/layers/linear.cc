#include "model/layers/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

namespace weft::model {

LinearWeights linear_weights(const BoundWeights& weight, const std::string& module, bool bias) {
  return {module, weight(module + ".weight"), bias ? weight(module + ".bias") : at::Tensor()};
}

at::Tensor ColumnParallelLinear::forward(const at::Tensor& x, const Deltas* deltas) const {
  const at::Tensor y = at::linear(x, w_.weight, w_.bias);
  return deltas == nullptr ? y : deltas->apply(w_.module, x, y);
}

at::Tensor RowParallelLinear::forward(const at::Tensor& x, const Deltas* deltas) const {
  at::Tensor share = at::linear(x, w_.weight);
  if (deltas != nullptr) share = deltas->apply(w_.module, x, share);
  const at::Tensor sum = communicator_->all_reduce_sum(share);
  return w_.bias.defined() ? sum + w_.bias : sum;
}

VocabParallelEmbedding::VocabParallelEmbedding(at::Tensor weight, Communicator& communicator)
    : weight_(std::move(weight)), communicator_(&communicator) {}

at::Tensor VocabParallelEmbedding::forward(const at::Tensor& ids) const {
  if (communicator_->size() == 1) return at::embedding(weight_, ids);
  const std::int64_t rows = weight_.size(0);
  const at::Tensor local = ids - rows * communicator_->rank().value();
  const at::Tensor foreign = (local < 0).logical_or(local >= rows);
  const at::Tensor looked_up = at::embedding(weight_, local.masked_fill(foreign, 0));
  return communicator_->all_reduce_sum(looked_up.masked_fill(foreign.unsqueeze(-1), 0));
}

VocabParallelHead::VocabParallelHead(at::Tensor weight, std::int64_t vocabulary, Communicator& communicator)
    : weight_(std::move(weight)), vocabulary_(vocabulary), communicator_(&communicator) {}

at::Tensor VocabParallelHead::forward(const at::Tensor& x) const {
  return communicator_->all_gather_last(at::linear(x, weight_)).narrow(-1, 0, vocabulary_);
}

}  // namespace weft::model
