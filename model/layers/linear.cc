#include "model/layers/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

namespace weft::model {
at::Tensor multiply(const Cpu& cpu, const PackedMatrix& matrix, const at::Tensor& x, const at::Tensor& bias) {
  const at::Tensor rows = x.stride(-1) == 1 ? x : x.contiguous();
  at::Tensor y = at::empty({x.size(0), matrix.shape().rows}, x.options());
  const std::span<const float> added =
      bias.defined() ? std::span(bias.const_data_ptr<float>(), static_cast<std::size_t>(bias.numel()))
                     : std::span<const float>();
  matrix.multiply(cpu, {rows.const_data_ptr<float>(), x.size(0), rows.stride(0)},
                  {y.mutable_data_ptr<float>(), y.stride(0)}, added);
  return y;
}

ColumnParallelLinear::ColumnParallelLinear(const Weights& weights, std::vector<LinearName> parts)
    : packed_(weights.matrix(parts.front().module + ".weight")), cpu_(weights.cpu) {
  std::int64_t others = 0;
  bool any_bias = false;
  for (const LinearName& name : parts) {
    const std::string weight = name.module + ".weight";
    const at::Tensor bias = name.bias ? weights.tensor(name.module + ".bias") : at::Tensor();
    const at::Tensor own = weights.tensor(weight);
    any_bias = any_bias || name.bias;
    parts_.push_back({name.module, weights.features(weight), own, bias});
    others += parts_.back().features;
  }
  if (!packed_ || !any_bias) return;
  packed_bias_ = at::zeros({others}, at::kFloat);
  std::int64_t begin = 0;
  for (const Part& part : parts_) {
    if (part.bias.defined()) packed_bias_.narrow(0, begin, part.features).copy_(part.bias);
    begin += part.features;
  }
}

std::vector<at::Tensor> ColumnParallelLinear::forward(const at::Tensor& x, const Deltas* deltas) const {
  const at::Tensor all = packed_ ? multiply(*cpu_, *packed_, x, packed_bias_) : at::Tensor();
  std::vector<at::Tensor> out;
  std::int64_t begin = 0;
  for (const Part& part : parts_) {
    const at::Tensor y = packed_ ? all.narrow(-1, begin, part.features) : at::linear(x, part.weight, part.bias);
    out.push_back(deltas == nullptr ? y : deltas->apply(part.module, x, y));
    begin += part.features;
  }
  return out;
}

RowParallelLinear::RowParallelLinear(const Weights& weights, const LinearName& name, Communicator& communicator)
    : module_(name.module),
      weight_(weights.tensor(name.module + ".weight")),
      bias_(name.bias ? weights.tensor(name.module + ".bias") : at::Tensor()),
      packed_(weights.matrix(name.module + ".weight")),
      cpu_(weights.cpu),
      communicator_(&communicator) {}

at::Tensor RowParallelLinear::forward(const at::Tensor& x, const Deltas* deltas) const {
  at::Tensor share = packed_ ? multiply(*cpu_, *packed_, x) : at::linear(x, weight_);
  if (deltas != nullptr) share = deltas->apply(module_, x, share);
  const at::Tensor sum = communicator_->all_reduce_sum(share);
  return bias_.defined() ? sum + bias_ : sum;
}

VocabParallelEmbedding::VocabParallelEmbedding(const Weights& weights, const std::string& name,
                                               Communicator& communicator)
    : weight_(weights.tensor(name)),
      packed_(weights.matrix(name)),
      to_fp32_(weights.cpu != nullptr),
      communicator_(&communicator) {}

// Rows of the rank's own part.
at::Tensor VocabParallelEmbedding::rows(const at::Tensor& local) const {
  if (!packed_) {
    const at::Tensor found = at::embedding(weight_, local);
    return to_fp32_ ? found.to(at::kFloat) : found;
  }
  const std::int64_t columns = packed_->shape().columns;
  at::Tensor out = at::empty({local.size(0), columns}, at::kFloat);
  const auto* index = local.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < local.size(0); ++i) {
    packed_->read_row(index[i], {out.mutable_data_ptr<float>() + i * columns, static_cast<std::size_t>(columns)});
  }
  return out;
}

at::Tensor VocabParallelEmbedding::forward(const at::Tensor& ids) const {
  if (communicator_->size() == 1) return rows(ids);
  const std::int64_t own = packed_ ? packed_->shape().rows : weight_.size(0);
  const at::Tensor local = ids - own * communicator_->rank().value();
  const at::Tensor foreign = (local < 0).logical_or(local >= own);
  const at::Tensor looked_up = rows(local.masked_fill(foreign, 0));
  return communicator_->all_reduce_sum(looked_up.masked_fill(foreign.unsqueeze(-1), 0));
}

VocabParallelHead::VocabParallelHead(const Weights& weights, const std::string& name, std::int64_t vocabulary,
                                     Communicator& communicator)
    : weight_(weights.tensor(name)),
      packed_(weights.matrix(name)),
      cpu_(weights.cpu),
      vocabulary_(vocabulary),
      communicator_(&communicator) {}

at::Tensor VocabParallelHead::forward(const at::Tensor& x) const {
  const at::Tensor own = packed_ ? multiply(*cpu_, *packed_, x) : at::linear(x, weight_);
  return communicator_->all_gather_last(own).narrow(-1, 0, vocabulary_);
}

}  // namespace weft::model
