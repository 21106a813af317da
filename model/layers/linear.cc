#include "model/layers/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

namespace weft::model {

ColumnParallelLinear::ColumnParallelLinear(at::Tensor weight, at::Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)) {}

at::Tensor ColumnParallelLinear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

RowParallelLinear::RowParallelLinear(at::Tensor weight, at::Tensor bias, Communicator& communicator)
    : weight_(std::move(weight)), bias_(std::move(bias)), communicator_(&communicator) {}

at::Tensor RowParallelLinear::forward(const at::Tensor& x) const {
  at::Tensor sum = communicator_->all_reduce_sum(at::linear(x, weight_));
  return bias_.defined() ? sum + bias_ : sum;
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

VocabParallelHead::VocabParallelHead(at::Tensor weight, Communicator& communicator)
    : weight_(std::move(weight)), communicator_(&communicator) {}

at::Tensor VocabParallelHead::forward(const at::Tensor& x) const {
  return communicator_->all_gather_last(at::linear(x, weight_));
}

}  // namespace weft::model
