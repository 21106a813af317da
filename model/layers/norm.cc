#include "model/layers/norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>

namespace weft::model {

at::Tensor Norm::forward(const at::Tensor& x) const {
  if (kind_ == NormKind::kLayer) return at::layer_norm(x, w_.weight.sizes(), w_.weight, w_.bias, eps_);
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scaled = wide * at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps_);
  if (kind_ == NormKind::kRms) return w_.weight * scaled.to(x.scalar_type());
  return (scaled * (w_.weight.to(at::kFloat) + 1.0)).to(x.scalar_type());
}

}  // namespace weft::model
