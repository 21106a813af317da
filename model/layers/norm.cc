#include "model/layers/norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/rsqrt.h>

namespace weft::model {

RmsNorm::RmsNorm(at::Tensor weight, double eps) : weight_(std::move(weight)), eps_(eps) {}

at::Tensor RmsNorm::forward(const at::Tensor& x) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps_);
  return weight_ * (wide * scale).to(x.scalar_type());
}

}  // namespace weft::model
