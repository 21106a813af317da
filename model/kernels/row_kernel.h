// What fused_ops.cc asks of an instruction set: each operation on one row. Pure.
#pragma once

#include <cstdint>

#include "model/kernels/cpu_isa.h"

namespace weft::model {

struct RowKernels {
  // residual, bias: may be null.
  void (*rms_norm)(float* x, const float* residual, const float* weight, std::int64_t width, float eps, float offset,
                   float* out);
  void (*layer_norm)(float* x, const float* residual, const float* weight, const float* bias, std::int64_t width,
                     float eps, float* out);
  void (*rotate)(float* head, const float* cos, const float* sin, std::int64_t half);
  void (*silu)(const float* x, const float* up, std::int64_t width, float* out);  // up may be null: no product
  void (*gelu_tanh)(const float* x, const float* up, std::int64_t width, float* out);
};

const RowKernels& row_kernels(Isa isa);

#if defined(__x86_64__)
RowKernels avx2_row_kernels();
RowKernels avx512_row_kernels();
#endif

}  // namespace weft::model
