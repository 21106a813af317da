#include "model/layers/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>

namespace weft::model {

Rotary::Rotary(int head_dim, double theta) {
  const at::Tensor exponents = at::arange(0, head_dim, 2, at::kFloat) / static_cast<double>(head_dim);
  inverse_frequencies_ = at::pow(theta, exponents).reciprocal();
}

RotaryAngles Rotary::angles(const at::Tensor& positions, at::ScalarType dtype) const {
  const at::Tensor half = at::outer(positions.to(at::kFloat), inverse_frequencies_.to(positions.device()));
  const at::Tensor full = at::cat({half, half}, -1).unsqueeze(1);
  return {full.cos().to(dtype), full.sin().to(dtype)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryAngles& angles) {
  const std::int64_t half = x.size(-1) / 2;
  const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
  return x * angles.cos + turned * angles.sin;
}

}  // namespace weft::model
