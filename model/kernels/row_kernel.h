// What fused_ops.cc and the layers' gradients ask of an instruction set: each operation on one row. Pure.
#pragma once

#include <cstdint>

#include "model/kernels/cpu_isa.h"

namespace weft::model {

// For training: the gradients of some of RowKernels' operations, and of the loss. `dy` is the gradient of what the
// operation puts out.
struct GradientKernels {
  // y = x / sqrt(mean(x^2) + eps) * (weight + offset). dweight: added to; null: not wanted.
  void (*rms_norm)(const float* x, const float* weight, const float* dy, std::int64_t width, float eps, float offset,
                   float* dx, float* dweight);
  // y = silu(x) * up
  void (*silu)(const float* x, const float* up, const float* dy, std::int64_t width, float* dx, float* dup);
  // y = -log softmax(scores)[target] * weight. Returns y; scores become its gradient.
  float (*cross_entropy)(float* scores, std::int64_t width, std::int64_t target, float weight);
};

struct RowKernels {
  // residual, bias: may be null.
  void (*rms_norm)(float* x, const float* residual, const float* weight, std::int64_t width, float eps, float offset,
                   float* out);
  void (*layer_norm)(float* x, const float* residual, const float* weight, const float* bias, std::int64_t width,
                     float eps, float* out);
  void (*rotate)(float* head, const float* cos, const float* sin, std::int64_t half);
  void (*silu)(const float* x, const float* up, std::int64_t width, float* out);  // up may be null: no product
  void (*gelu_tanh)(const float* x, const float* up, std::int64_t width, float* out);
  GradientKernels gradients;
};

const RowKernels& row_kernels(Isa isa);

#if defined(__x86_64__)
RowKernels avx2_row_kernels();
RowKernels avx512_row_kernels();
#endif

}  // namespace weft::model
