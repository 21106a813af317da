// The small operations between the products, each in one pass over a row: norms, rotary embedding, gated activations.
// fp32, on rows that begin at data + i * stride; inputs may be outputs. Pure functions; each call runs on the workers
// it is given. The same bits for any number of rows and threads.
#pragma once

#include <cstdint>
#include <span>

#include "model/kernels/workers.h"

namespace weft::model {

// [rows, width]
struct Rows {
  float* data = nullptr;
  std::int64_t rows = 0, width = 0, stride = 0;
};
struct ConstRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

// out = x / sqrt(mean(x^2) + eps) * (weight + weight_offset). With `residual`, first x += residual, which x keeps.
struct RmsNormOptions {
  float eps = 1e-6F;
  float weight_offset = 0;  // 1 for checkpoints that store the weight minus one
};
void rms_norm(const Cpu& cpu, Rows x, ConstRows residual, std::span<const float> weight, const RmsNormOptions& options,
              float* out, std::int64_t out_stride);

// out = (x - mean) / sqrt(variance + eps) * weight + bias; bias may be empty. `residual` as above.
void layer_norm(const Cpu& cpu, Rows x, ConstRows residual, std::span<const float> weight, std::span<const float> bias,
                float eps, float* out, std::int64_t out_stride);

// Turns each of `heads` heads of head_dim in every row of x, in place; half-split: entry i goes with i + rotary_dim
// / 2. Entries from rotary_dim on stay. cos and sin: [rows, rotary_dim / 2], row i for row i of x.
struct RotaryShape {
  std::int64_t heads = 0, head_dim = 0, rotary_dim = 0;
};
void rotate_heads(const Cpu& cpu, Rows x, const RotaryShape& shape, ConstRows cos, ConstRows sin);

enum class GateActivation { kSilu, kGeluTanh };
// out = activation(gate) * up, [rows, width]: of a product with gate and up packed as one matrix, gate is its first
// half and up.data = gate.data + width.
void gate(const Cpu& cpu, GateActivation activation, Rows gate, ConstRows up, float* out, std::int64_t out_stride);
// out = activation(x), where there is no gate.
void activate(const Cpu& cpu, GateActivation activation, Rows x, float* out, std::int64_t out_stride);

}  // namespace weft::model
