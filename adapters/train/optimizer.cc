#include "adapters/train/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "model/backend.h"

namespace weft::adapters {

at::Tensor orthogonalize(const at::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const bool tall = matrix.size(0) > matrix.size(1);
  at::Tensor x = (matrix / (matrix.norm() + 1e-7)).to(model::multiplies_bf16() ? at::kBFloat16 : at::kFloat);
  if (tall) x = x.t();
  x = x.contiguous();
  for (int round = 0; round < 5; ++round) {
    const at::Tensor gram = at::mm(x, x.t());
    const at::Tensor mixed = at::addmm(gram, gram, gram, b, c);
    x = at::addmm(x, mixed, x, a, 1.0);
  }
  return (tall ? x.t() : x).to(matrix.scalar_type());
}

Optimizer::Optimizer(std::vector<Parameter> parameters, const OptimizerOptions& options) : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) {
    const at::Tensor zeros = at::zeros_like(parameter.value.detach());
    const bool muon = options.muon && parameter.by_muon();
    slots_.push_back({parameter, zeros, muon ? at::Tensor() : at::zeros_like(zeros)});
  }
}

void Optimizer::muon(Slot& slot, const at::Tensor& gradient, double lr_scale) const {
  const double lr = options_.muon_lr * lr_scale;
  slot.first.lerp_(gradient, 1 - options_.muon_momentum);
  const at::Tensor nesterov = gradient.lerp(slot.first, options_.muon_momentum);
  const at::Tensor update = orthogonalize(nesterov);
  const double shape =
      std::sqrt(std::max(1.0, static_cast<double>(update.size(0)) / static_cast<double>(update.size(1))));
  slot.parameter.value.mul_(1 - lr * options_.weight_decay).sub_(update, lr * shape);
}

void Optimizer::adamw(Slot& slot, const at::Tensor& gradient, double lr_scale) const {
  const double lr = options_.adamw_lr * lr_scale;
  const auto count = static_cast<double>(steps_);
  slot.first.lerp_(gradient, 1 - options_.beta1);
  slot.second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
  const double bias1 = 1 - std::pow(options_.beta1, count), bias2 = 1 - std::pow(options_.beta2, count);
  const at::Tensor denominator = (slot.second / bias2).sqrt_().add_(options_.epsilon);
  if (slot.parameter.value.dim() == 2) slot.parameter.value.mul_(1 - lr * options_.adamw_decay);
  slot.parameter.value.addcdiv_(slot.first, denominator, -lr / bias1);
}

void Optimizer::step(double lr_scale, double gradient_scale) {
  const at::NoGradGuard no_gradient;
  ++steps_;
  for (Slot& slot : slots_) {
    at::Tensor& stored = slot.parameter.value.mutable_grad();
    if (!stored.defined()) continue;
    const at::Tensor gradient = stored * gradient_scale;
    if (slot.by_muon()) {
      muon(slot, gradient, lr_scale);
    } else {
      adamw(slot, gradient, lr_scale);
    }
    stored.reset();
  }
}

std::vector<Parameter> Optimizer::state() const {
  std::vector<Parameter> out;
  for (const Slot& slot : slots_) {
    const bool muon = slot.by_muon();
    out.push_back({(muon ? "muon.momentum." : "adamw.first.") + slot.parameter.name, slot.first});
    if (!muon) out.push_back({"adamw.second." + slot.parameter.name, slot.second});
  }
  return out;
}

}  // namespace weft::adapters
