// What add_lora (lora.cc) asks of an instruction set. Pure.
#pragma once

#include <cstdint>

#include "model/kernels/cpu_isa.h"

namespace weft::model {

constexpr std::int64_t kLoraLanes = 16;  // ranks of a panel of A, outputs of one of B

// Rows of numbers by some panels: of the i-th row, y[16 p + lane] += sum over k of x[k] * panel[p][k][lane], for
// `width` lanes of all panels together.
struct LoraTile {
  const float* x;  // the i-th row begins at x + x_rows[i] * x_stride: [columns]
  std::int64_t x_stride;
  const std::int64_t* x_rows;
  const float* panel;  // [columns][16] each, panel_stride apart, aligned to 64 bytes
  std::int64_t panel_stride, columns;
  float* y;  // by y_rows: [width]
  std::int64_t y_stride;
  const std::int64_t* y_rows;
  std::int64_t rows, width;
};

struct LoraKernels {
  // The sum is that of four, of every fourth k each, in order: one row alone would wait for each of its additions.
  void (*shrink)(const LoraTile&);
  void (*expand)(const LoraTile&);  // one sum
};

LoraKernels lora_kernels(Isa isa);

#if defined(__x86_64__)
LoraKernels avx2_lora_kernels();
LoraKernels avx512_lora_kernels();
#endif

}  // namespace weft::model
