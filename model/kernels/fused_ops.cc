// The operations of fused_ops.h: rows handed to threads. The arithmetic is in row_tile.h.
#include "model/kernels/fused_ops.h"

#include <algorithm>

#include "model/kernels/gradient_tile.h"
#include "model/kernels/row_kernel.h"

namespace weft::model {
namespace {

// body(row) for each row; threads only where the work outlasts waking them.
template <class Body>
void for_rows(const Cpu& cpu, std::int64_t rows, std::int64_t width, const Body& body) {
  constexpr std::int64_t kWorthThreads = 1 << 14, kPiece = 1 << 12;  // numbers
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) body(row);
  };
  if (rows * width < kWorthThreads) return run(0, rows);
  for_pieces(*cpu.workers, rows, std::max<std::int64_t>(1, kPiece / width), run);
}

const float* row_of(ConstRows rows, std::int64_t row) {
  return rows.data == nullptr ? nullptr : rows.data + row * rows.stride;
}

void apply(const Cpu& cpu, GateActivation activation, Rows x, ConstRows up, float* out, std::int64_t out_stride) {
  const RowKernels& kernels = row_kernels(cpu.isa);
  const auto function = activation == GateActivation::kSilu ? kernels.silu : kernels.gelu_tanh;
  for_rows(cpu, x.rows, x.width, [&](std::int64_t row) {
    function(x.data + row * x.stride, row_of(up, row), x.width, out + row * out_stride);
  });
}

}  // namespace

const RowKernels& row_kernels([[maybe_unused]] Isa isa) {
  static const RowKernels portable = row_kernels_of<PortableVector<8>>();
#if defined(__x86_64__)
  // Made only where they can run: what makes them is itself compiled for its instruction set.
  if (isa >= Isa::kAvx512Vnni) {
    static const RowKernels avx512 = avx512_row_kernels();
    return avx512;
  }
  if (isa == Isa::kAvx2) {
    static const RowKernels avx2 = avx2_row_kernels();
    return avx2;
  }
#endif
  return portable;
}

void rms_norm(const Cpu& cpu, Rows x, ConstRows residual, std::span<const float> weight, const RmsNormOptions& options,
              float* out, std::int64_t out_stride) {
  WEFT_CHECK(static_cast<std::int64_t>(weight.size()) == x.width);
  const RowKernels& kernels = row_kernels(cpu.isa);
  for_rows(cpu, x.rows, x.width, [&](std::int64_t row) {
    kernels.rms_norm(x.data + row * x.stride, row_of(residual, row), weight.data(), x.width, options.eps,
                     options.weight_offset, out + row * out_stride);
  });
}

void layer_norm(const Cpu& cpu, Rows x, ConstRows residual, std::span<const float> weight, std::span<const float> bias,
                float eps, float* out, std::int64_t out_stride) {
  WEFT_CHECK(static_cast<std::int64_t>(weight.size()) == x.width && (bias.empty() || bias.size() == weight.size()));
  const RowKernels& kernels = row_kernels(cpu.isa);
  for_rows(cpu, x.rows, x.width, [&](std::int64_t row) {
    kernels.layer_norm(x.data + row * x.stride, row_of(residual, row), weight.data(),
                       bias.empty() ? nullptr : bias.data(), x.width, eps, out + row * out_stride);
  });
}

void rotate_heads(const Cpu& cpu, Rows x, const RotaryShape& shape, ConstRows cos, ConstRows sin) {
  WEFT_CHECK(shape.heads * shape.head_dim <= x.width && shape.rotary_dim <= shape.head_dim &&
             shape.rotary_dim % 2 == 0);
  const RowKernels& kernels = row_kernels(cpu.isa);
  for_rows(cpu, x.rows, x.width, [&](std::int64_t row) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      kernels.rotate(x.data + row * x.stride + head * shape.head_dim, row_of(cos, row), row_of(sin, row),
                     shape.rotary_dim / 2);
    }
  });
}

void gate(const Cpu& cpu, GateActivation activation, Rows gate, ConstRows up, float* out, std::int64_t out_stride) {
  WEFT_CHECK(gate.rows == 0 || up.data != nullptr);
  apply(cpu, activation, gate, up, out, out_stride);
}

void activate(const Cpu& cpu, GateActivation activation, Rows x, float* out, std::int64_t out_stride) {
  apply(cpu, activation, x, {}, out, out_stride);
}

}  // namespace weft::model
