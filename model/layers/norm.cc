#include "model/layers/norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>

#include <span>

#include "model/kernels/fused_ops.h"
#include "model/layers/gradients.h"

namespace weft::model {
namespace {

std::span<const float> numbers(const at::Tensor& vector) {
  if (!vector.defined()) return {};
  return {vector.const_data_ptr<float>(), static_cast<std::size_t>(vector.numel())};
}

}  // namespace

at::Tensor Norm::by_kernel(const at::Tensor& x) const {
  const at::Tensor rows = x.contiguous();
  const std::int64_t width = rows.size(-1);
  at::Tensor out = at::empty_like(rows);
  // Without a residual the kernel only reads its input.
  const Rows in{const_cast<float*>(rows.const_data_ptr<float>()), rows.numel() / width, width, width};
  const auto eps = static_cast<float>(eps_);
  if (kind_ == NormKind::kLayer) {
    layer_norm(*cpu_, in, {}, numbers(w_.weight), numbers(w_.bias), eps, out.mutable_data_ptr<float>(), width);
  } else {
    const float offset = kind_ == NormKind::kRmsPlusOne ? 1.0F : 0.0F;
    rms_norm(*cpu_, in, {}, numbers(w_.weight), {.eps = eps, .weight_offset = offset}, out.mutable_data_ptr<float>(),
             width);
  }
  return out;
}

at::Tensor Norm::forward(const at::Tensor& x) const {
  if (cpu_ != nullptr) return by_kernel(x);
  if (kind_ == NormKind::kLayer) return at::layer_norm(x, w_.weight.sizes(), w_.weight, w_.bias, eps_);
  if (has_own_gradient(x)) return rms_norm(x, w_.weight, eps_, kind_ == NormKind::kRmsPlusOne ? 1.0 : 0.0);
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scaled = wide * at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps_);
  if (kind_ == NormKind::kRms) return w_.weight * scaled.to(x.scalar_type());
  return (scaled * (w_.weight.to(at::kFloat) + 1.0)).to(x.scalar_type());
}

}  // namespace weft::model
