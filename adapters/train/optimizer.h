// The optimisers of training. Muon (Jordan et al. 2024) takes the matrices inside of the blocks: it applies the
// momentum of the gradient with its singular values made equal by a Newton-Schulz iteration. AdamW (Loshchilov and
// Hutter 2019) takes the embedding and the vectors, or everything. State is fp32. Training thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace weft::adapters {

struct OptimizerOptions {
  double muon_lr = 0.02, muon_momentum = 0.95;
  double adamw_lr = 2e-3, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double weight_decay = 0.1;  // of Muon's matrices, times the learning rate
  double adamw_decay = 0;     // of AdamW's matrices, likewise
  bool muon = true;           // false: AdamW takes everything
};

struct Parameter {
  std::string name;
  at::Tensor value;  // fp32 leaf
  [[nodiscard]] bool by_muon() const {
    return value.dim() == 2 && name.find("embed") == std::string::npos && name.find("lm_head") == std::string::npos;
  }
};

class Optimizer {
 public:
  Optimizer(std::vector<Parameter> parameters, const OptimizerOptions& options);
  // Applies the gradients times `gradient_scale` and clears them. lr_scale: the schedule's.
  void step(double lr_scale, double gradient_scale);
  // The state by name, "muon.momentum.NAME" and the like; the tensors are the live ones, to be saved or copied into.
  [[nodiscard]] std::vector<Parameter> state() const;
  [[nodiscard]] std::size_t steps() const { return steps_; }
  void set_steps(std::size_t steps) { steps_ = steps; }

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor first, second;  // momentum; AdamW's second moment, undefined for Muon
    [[nodiscard]] bool by_muon() const { return !second.defined(); }
  };
  void muon(Slot& slot, const at::Tensor& gradient, double lr_scale) const;
  void adamw(Slot& slot, const at::Tensor& gradient, double lr_scale) const;
  OptimizerOptions options_;
  std::vector<Slot> slots_;
  std::size_t steps_ = 0;
};

// [m, n] -> [m, n] with singular values near 1: five steps of the quintic iteration.
at::Tensor orthogonalize(const at::Tensor& matrix);

}  // namespace weft::adapters
