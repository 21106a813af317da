// The norms of a block: RMSNorm (Zhang and Sennrich 2019), with its factor as it is or as 1 + weight (Gemma), and
// LayerNorm (Ba et al. 2016). Statistics are taken in fp32. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config/model_config.h"

namespace weft::model {

struct NormWeights {
  at::Tensor weight;  // [width]
  at::Tensor bias;    // [width], of LayerNorm alone
};

class Norm {
 public:
  Norm() = default;
  Norm(NormKind kind, NormWeights weights, double eps) : kind_(kind), w_(std::move(weights)), eps_(eps) {}
  at::Tensor forward(const at::Tensor& x) const;  // [..., width]
  [[nodiscard]] bool defined() const { return w_.weight.defined(); }

 private:
  NormKind kind_ = NormKind::kRms;
  NormWeights w_;
  double eps_ = 0;
};

}  // namespace weft::model
