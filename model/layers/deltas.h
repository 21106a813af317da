// Deltas: what adapters add to the linears of one step (Hu et al. 2021, LoRA). A linear asks by its own name, before it
// sums over ranks: a row-parallel linear has a slice of A's columns, a column-parallel one a slice of B's rows, and in
// both cases what is added is the rank's share. Serving gives each sequence's rows their own adapter, training one
// adapter to all. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace weft::model {

class Deltas {
 public:
  virtual ~Deltas() = default;
  // x: [N, in/R or in], y: the linear's own product [N, out or out/R]. Returns y with what is added to its rows.
  [[nodiscard]] virtual at::Tensor apply(const std::string& module, const at::Tensor& x, const at::Tensor& y) const = 0;
};

}  // namespace weft::model
