// The linear kernels in plain C++: what the numbers of linear_kernels.h mean, and what every processor can run.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "model/kernels/linear_kernels.h"
#include "model/weights/half.h"

namespace weft::model {
namespace {

std::int32_t two_int16(int low, int high) {
  return std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(low & 0xffff) | static_cast<std::uint32_t>(high) << 16);
}

void quantize_group(const float* x, std::int64_t count, std::int8_t* q, float& scale, std::int32_t& correction) {
  float maximum = 0;
  bool finite = true;
  for (std::int64_t i = 0; i < count; ++i) {
    finite = finite && std::isfinite(x[i]);
    maximum = std::max(maximum, std::fabs(x[i]));
  }
  const bool used = finite && maximum >= kSmallestMaximum;
  scale = finite ? (used ? maximum / 127.0F : 0.0F) : std::numeric_limits<float>::quiet_NaN();
  int sums[2] = {0, 0};
  for (std::int64_t i = 0; i < count && used; ++i) {
    q[i] = static_cast<std::int8_t>(std::nearbyint(x[i] * (127.0F / maximum)));
    sums[i / 2 % 2] += q[i];
  }
  correction = two_int16(-8 * sums[0], -8 * sums[1]);
}

void quantize(const ActivationRow& row) {
  auto* const q = static_cast<std::int8_t*>(row.out);
  std::fill_n(q, row.padded, std::int8_t{0});
  for (std::int64_t at = 0, g = 0; at < row.padded; at += row.group, ++g) {
    const std::int64_t count = std::clamp<std::int64_t>(row.columns - at, 0, row.group);
    quantize_group(row.x + (count > 0 ? at : 0), count, q + at, row.scales[g], row.corrections[g]);
  }
}

void copy_floats(const ActivationRow& row) {
  auto* const out = static_cast<float*>(row.out);
  std::copy_n(row.x, row.columns, out);
  std::fill(out + row.columns, out + row.padded, 0.0F);
}

void float_tile(const TileArguments& t) {
  const auto* const weights = reinterpret_cast<const float*>(t.weights);
  for (std::int64_t row = 0; row < t.rows; ++row) {
    const auto* const x = reinterpret_cast<const float*>(t.x + row * t.x_stride_bytes);
    float* const sums = t.sums + row * kPanelRows;
    for (std::int64_t k = 0; k < t.blocks * kBlockColumns; ++k) {
      for (int i = 0; i < kPanelRows; ++i) sums[i] = std::fma(weights[k * kPanelRows + i], x[k], sums[i]);
    }
  }
}

void bfloat16_tile(const TileArguments& t) {
  const auto* const weights = reinterpret_cast<const Bf16*>(t.weights);
  for (std::int64_t row = 0; row < t.rows; ++row) {
    const auto* const x = reinterpret_cast<const float*>(t.x + row * t.x_stride_bytes);
    float* const sums = t.sums + row * kPanelRows;
    for (std::int64_t k = 0; k < t.blocks * kBlockColumns; ++k) {
      for (int i = 0; i < kPanelRows; ++i) {
        const float weight = to_float(weights[(k / 2 * kPanelRows + i) * 2 + k % 2]);
        sums[i] = std::fma(weight, x[k], sums[i]);
      }
    }
  }
}

void int8_tile(const TileArguments& t) {
  const auto* const weights = reinterpret_cast<const std::int8_t*>(t.weights);
  for (std::int64_t row = 0; row < t.rows; ++row) {
    const auto* const x = reinterpret_cast<const std::int8_t*>(t.x + row * t.x_stride_bytes);
    float* const sums = t.sums + row * kPanelRows;
    for (std::int64_t block = 0; block < t.blocks; ++block) {
      std::int32_t dots[kPanelRows] = {};
      for (std::int64_t k = block * kBlockColumns; k < (block + 1) * kBlockColumns; ++k) {
        for (int i = 0; i < kPanelRows; ++i) dots[i] += x[k] * weights[(k / 4 * kPanelRows + i) * 4 + k % 4];
      }
      const float scale = t.x_scales[row * t.scale_stride + block];
      for (int i = 0; i < kPanelRows; ++i) sums[i] = std::fma(static_cast<float>(dots[i]), scale, sums[i]);
    }
  }
}

template <std::int64_t kGroup>
void int4_tile(const TileArguments& t) {
  constexpr std::int64_t kStep = kGroup == 32 ? 32 : 64;  // columns of an activation scale
  const auto* const weights = reinterpret_cast<const std::uint8_t*>(t.weights);
  for (std::int64_t row = 0; row < t.rows; ++row) {
    const auto* const x = reinterpret_cast<const std::int8_t*>(t.x + row * t.x_stride_bytes);
    float* const sums = t.sums + row * kPanelRows;
    for (std::int64_t begin = 0; begin < t.blocks * kBlockColumns; begin += kStep) {
      std::int32_t dots[kPanelRows] = {};
      for (std::int64_t k = begin; k < begin + kStep; ++k) {
        for (int i = 0; i < kPanelRows; ++i) {
          const int weight = (weights[(k / 8 * kPanelRows + i) * 4 + k % 4] >> (k / 4 % 2 * 4) & 0xf) - 8;
          dots[i] += x[k] * weight;
        }
      }
      const float x_scale = t.x_scales[row * t.scale_stride + begin / kStep];
      for (int i = 0; i < kPanelRows; ++i) {
        const float scale = x_scale * to_float(static_cast<Half>(t.weight_scales[begin / kGroup * kPanelRows + i]));
        sums[i] = std::fma(static_cast<float>(dots[i]), scale, sums[i]);
      }
    }
  }
}

FormatKernels one_for_all(LinearKernel kernel) { return {.few = kernel, .many = kernel, .many_rows = 0}; }

}  // namespace

LinearKernels reference_linear_kernels() {
  const auto int8 = [](auto* tile) { return one_for_all({.prepare = quantize, .tile = tile}); };
  const auto plain = [](auto* tile) {
    return one_for_all({.prepare = copy_floats, .tile = tile, .activations = ActivationFormat::kFloat32});
  };
  return {.float32 = plain(float_tile),
          .bfloat16 = plain(bfloat16_tile),
          .int8 = int8(int8_tile),
          .int4 = {int8(int4_tile<32>), int8(int4_tile<64>), int8(int4_tile<128>)}};
}

// Only what the machine can run: the functions that fill the tables are themselves compiled for their instruction sets.
const LinearKernels& linear_kernels(Isa isa) {
  static const auto tables = [] {
    std::vector<LinearKernels> out = {reference_linear_kernels()};
#if defined(__x86_64__)
    void (*const steps[])(LinearKernels&) = {use_avx2, use_avx512, use_avx512_bf16, use_amx};
    for (std::size_t i = 0; i < static_cast<std::size_t>(detect_isa()); ++i) {
      out.push_back(out.back());
      steps[i](out.back());
    }
#endif
    return out;
  }();
  WEFT_CHECK(isa <= detect_isa());
  return tables[static_cast<std::size_t>(isa)];
}

}  // namespace weft::model
