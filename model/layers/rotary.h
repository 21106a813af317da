// Rotary position embedding (Su et al. 2021), the half-split form that Llama checkpoints use. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

namespace weft::model {

struct RotaryAngles {
  at::Tensor cos, sin;  // [N, 1, D], of the model's dtype
};

class Rotary {
 public:
  Rotary(int head_dim, double theta);
  // positions: [N] i64.
  [[nodiscard]] RotaryAngles angles(const at::Tensor& positions, at::ScalarType dtype) const;

 private:
  at::Tensor inverse_frequencies_;  // [D/2] fp32
};

// x: [N, H, D].
at::Tensor rotate(const at::Tensor& x, const RotaryAngles& angles);

}  // namespace weft::model
