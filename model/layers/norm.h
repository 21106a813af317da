// RMSNorm (Zhang and Sennrich 2019). Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

namespace weft::model {

class RmsNorm {
 public:
  RmsNorm() = default;
  RmsNorm(at::Tensor weight, double eps);         // [width]
  at::Tensor forward(const at::Tensor& x) const;  // [..., width]; the mean square is taken in fp32
  [[nodiscard]] bool defined() const { return weight_.defined(); }

 private:
  at::Tensor weight_;
  double eps_ = 0;
};

}  // namespace weft::model
