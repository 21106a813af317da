// Rotary position embedding (Su et al. 2021), the half-split form that Llama checkpoints use, of a head's first
// features or all. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config/model_config.h"
#include "model/kernels/workers.h"

namespace weft::model {

struct RotaryAngles {
  at::Tensor cos, sin;  // [N, 1, rotated features], of the model's dtype
};

class Rotary {
 public:
  Rotary() = default;
  explicit Rotary(const RotaryConfig& config);
  // positions: [N] i64.
  [[nodiscard]] RotaryAngles angles(const at::Tensor& positions, at::ScalarType dtype) const;

 private:
  at::Tensor inverse_frequencies_;  // [rotated features / 2] fp32
  double attention_factor_ = 1;
};

// x: [N, H, D]. With a cpu its kernels do it in place, on fp32 that is nobody else's.
at::Tensor rotate(const at::Tensor& x, const RotaryAngles& angles, const Cpu* cpu);

}  // namespace weft::model
