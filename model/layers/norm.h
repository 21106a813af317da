// The norms of a block: RMSNorm (Zhang and Sennrich 2019), with its factor as it is or as 1 + weight (Gemma), and
// LayerNorm (Ba et al. 2016). Statistics are taken in fp32. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config/model_config.h"
#include "model/kernels/workers.h"

namespace weft::model {

struct NormWeights {
  at::Tensor weight;  // [width]
  at::Tensor bias;    // [width], of LayerNorm alone
};

class Norm {
 public:
  Norm() = default;
  // cpu: whose kernels compute, on fp32; null: LibTorch does.
  Norm(NormKind kind, NormWeights weights, double eps, const Cpu* cpu)
      : kind_(kind), w_(std::move(weights)), eps_(eps), cpu_(cpu) {}
  at::Tensor forward(const at::Tensor& x) const;  // [..., width]
  [[nodiscard]] bool defined() const { return w_.weight.defined(); }

 private:
  [[nodiscard]] at::Tensor by_kernel(const at::Tensor& x) const;
  NormKind kind_ = NormKind::kRms;
  NormWeights w_;
  double eps_ = 0;
  const Cpu* cpu_ = nullptr;
};

}  // namespace weft::model
