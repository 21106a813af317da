#include "model/layers/mlp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "model/config/tensor_names.h"
#include "model/layers/activation.h"

namespace weft::model {

Mlp::Mlp(const ModelConfig& config, const BlockNames& names, const BoundWeights& weight, Communicator& communicator)
    : activation_(config.activation),
      up_(linear_weights(weight, names.up, config.mlp_bias)),
      down_(linear_weights(weight, names.down, config.mlp_bias), communicator) {
  if (config.gated_mlp) gate_.emplace(linear_weights(weight, names.gate, config.mlp_bias));
}

at::Tensor Mlp::forward(const at::Tensor& x, const Deltas* deltas) const {
  const at::Tensor up = up_.forward(x, deltas);
  const at::Tensor inner = gate_ ? activate(activation_, gate_->forward(x, deltas)) * up : activate(activation_, up);
  return down_.forward(inner, deltas);
}

ExpertsMlp::ExpertsMlp(const ModelConfig& config, const BlockNames& names, const BoundWeights& weight,
                       Communicator& communicator)
    : activation_(config.activation),
      config_(*config.experts),
      router_(weight(names.router + ".weight")),
      communicator_(&communicator) {
  const TensorNames& parts = *config.architecture->names;
  const auto [begin, end] = share_of_experts(config_.count, communicator.rank(), communicator.size());
  first_ = begin;
  for (int expert = begin; expert < end; ++expert) {
    const auto part = [&](std::string_view which) { return weight(names.expert(expert, which) + ".weight"); };
    experts_.push_back({part(parts.expert_gate), part(parts.expert_up), part(parts.expert_down)});
  }
}

at::Tensor ExpertsMlp::forward(const at::Tensor& x) const {
  const at::Tensor odds = at::softmax(at::linear(x, router_), -1, at::kFloat);  // [N, E]
  auto [weights, chosen] = at::topk(odds, config_.per_token, -1);               // [N, k] each
  if (config_.normalized) weights = weights / weights.sum(-1, /*keepdim=*/true);
  weights = weights.to(x.scalar_type());
  at::Tensor sum = at::zeros_like(x);
  for (std::size_t i = 0; i < experts_.size(); ++i) {
    const auto places = at::where(chosen == first_ + static_cast<int>(i));  // tokens, and which choice of theirs
    if (places[0].numel() == 0) continue;
    const at::Tensor tokens = x.index_select(0, places[0]);
    const at::Tensor inner =
        activate(activation_, at::linear(tokens, experts_[i].gate)) * at::linear(tokens, experts_[i].up);
    const at::Tensor weight = weights.index({places[0], places[1]}).unsqueeze(-1);
    sum = sum.index_add(0, places[0], at::linear(inner, experts_[i].down) * weight);
  }
  return communicator_->all_reduce_sum(sum);
}

}  // namespace weft::model
