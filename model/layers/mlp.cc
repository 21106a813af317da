#include "model/layers/mlp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "model/config/tensor_names.h"
#include "model/kernels/fused_ops.h"
#include "model/layers/activation.h"
#include "model/layers/gradients.h"

namespace weft::model {
namespace {

std::vector<LinearName> mlp_inputs(const ModelConfig& config, const BlockNames& names) {
  if (!config.gated_mlp) return {{names.up, config.mlp_bias}};
  return {{names.gate, config.mlp_bias}, {names.up, config.mlp_bias}};
}

std::optional<GateActivation> kernel_of(Activation activation) {
  if (activation == Activation::kSilu) return GateActivation::kSilu;
  if (activation == Activation::kGeluTanh) return GateActivation::kGeluTanh;
  return std::nullopt;
}

// What the MLP's first linears put out, the gate first where there is one. [N, inner] each -> [N, inner]
at::Tensor inner(Activation activation, const Cpu* cpu, const std::vector<at::Tensor>& in) {
  const at::Tensor& x = in.front();
  const auto kernel = kernel_of(activation);
  if (cpu == nullptr || !kernel) {
    if (in.size() == 2 && activation == Activation::kSilu && has_own_gradient(x)) return silu_gate(x, in.back());
    const at::Tensor active = activate(activation, x);
    return in.size() == 1 ? active : active * in.back();
  }
  const std::int64_t width = x.size(1);
  at::Tensor out = at::empty({x.size(0), width}, x.options());
  const Rows rows{x.mutable_data_ptr<float>(), x.size(0), width, x.stride(0)};
  if (in.size() == 1) {
    activate(*cpu, *kernel, rows, out.mutable_data_ptr<float>(), width);
  } else {
    gate(*cpu, *kernel, rows, {in.back().const_data_ptr<float>(), in.back().stride(0)}, out.mutable_data_ptr<float>(),
         width);
  }
  return out;
}

}  // namespace

Mlp::Mlp(const ModelConfig& config, const BlockNames& names, const Weights& weights, Communicator& communicator)
    : activation_(config.activation),
      cpu_(weights.cpu),
      in_(weights, mlp_inputs(config, names)),
      down_(weights, {names.down, config.mlp_bias}, communicator) {}

at::Tensor Mlp::forward(const at::Tensor& x, const Deltas* deltas) const {
  return down_.forward(inner(activation_, cpu_, in_.forward(x, deltas)), deltas);
}

ExpertsMlp::ExpertsMlp(const ModelConfig& config, const BlockNames& names, const Weights& weights,
                       Communicator& communicator)
    : activation_(config.activation),
      cpu_(weights.cpu),
      config_(*config.experts),
      router_(weights.tensor(names.router + ".weight")),
      communicator_(&communicator) {
  const TensorNames& parts = *config.architecture->names;
  const auto [begin, end] = share_of_experts(config_.count, communicator.rank(), communicator.size());
  first_ = begin;
  for (int expert = begin; expert < end; ++expert) {
    const auto named = [&](std::string_view part) { return LinearName{names.expert(expert, part)}; };
    experts_.push_back({ColumnParallelLinear(weights, {named(parts.expert_gate), named(parts.expert_up)}),
                        ColumnParallelLinear(weights, {named(parts.expert_down)})});
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
    const at::Tensor within = inner(activation_, cpu_, experts_[i].in.forward(x.index_select(0, places[0]), nullptr));
    const at::Tensor weight = weights.index({places[0], places[1]}).unsqueeze(-1);
    sum = sum.index_add(0, places[0], experts_[i].down.forward(within, nullptr).front() * weight);
  }
  return communicator_->all_reduce_sum(sum);
}

}  // namespace weft::model
