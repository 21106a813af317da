// The linear kernels of AMX, over a type T of tiles (amx_tile.h) and V of 64-byte vectors (linear_vnni_tile.h): up to
// 32 rows of activations by a panel. A panel's block of 64 columns of int8 is a tile as it lies. Tests put T and V in
// software.
#pragma once

#include "model/kernels/linear_kernels.h"

namespace weft::model {

template <class T, class V>
struct AmxLinear {
  using Float = typename V::Float;
  static constexpr std::int64_t kHalfRows = 16;

  // totals[row] += sums[row] * scale of the row * weight_scale (int8: 1, which changes nothing)
  static inline __attribute__((always_inline)) void add_sums(const TileArguments& t, std::int64_t first,
                                                             std::int64_t scale_at, const std::int32_t* sums,
                                                             const std::uint16_t* weight_scales) {
    const std::int64_t end = t.rows < first + kHalfRows ? t.rows : first + kHalfRows;
    for (std::int64_t row = first; row < end; ++row) {
      Float scale = V::set_float(t.x_scales[row * t.scale_stride + scale_at]);
      if (weight_scales != nullptr) scale = V::multiply(scale, V::load_halves(weight_scales));
      float* const totals = t.sums + row * kPanelRows;
      const Float sum = V::load_to_float(sums + (row - first) * kPanelRows);
      V::store_floats(totals, V::fma(sum, scale, V::load_floats(totals)));
    }
  }

  static void int8(const TileArguments& t) {
    alignas(64) std::int32_t sums[2][kHalfRows * kPanelRows];
    for (std::int64_t block = 0; block < t.blocks; ++block) {
      const std::byte* const x = t.x + block * kBlockColumns;
      T::load_weights(t.weights + block * 1024);
      T::template multiply_int8<0>(x, t.x_stride_bytes);
      if (t.rows > kHalfRows) T::template multiply_int8<1>(x + kHalfRows * t.x_stride_bytes, t.x_stride_bytes);
      T::template store_sums<0>(sums[0]);
      if (t.rows > kHalfRows) T::template store_sums<1>(sums[1]);
      add_sums(t, 0, block, sums[0], nullptr);
      add_sums(t, kHalfRows, block, sums[1], nullptr);
    }
  }

  template <std::int64_t kGroup>
  static void int4(const TileArguments& t) {
    constexpr std::int64_t kStep = kGroup == 32 ? 32 : 64;  // columns of an activation scale
    alignas(64) std::int32_t sums[2][kHalfRows * kPanelRows];
    alignas(64) std::byte weights[1024];
    const auto low = V::set_bytes(0x0f), eight = V::set_bytes(8);
    for (std::int64_t at = 0; at < t.blocks * kBlockColumns; at += kStep) {
      for (std::int64_t octet = 0; octet < kStep / 8; ++octet) {
        const auto both = V::load(t.weights + (at / 8 + octet) * 64);
        V::store(weights + octet * 128, V::subtract_bytes(V::both_bits(both, low), eight));
        V::store(weights + octet * 128 + 64, V::subtract_bytes(V::both_bits(V::right4(both), low), eight));
      }
      const std::byte* const x = t.x + at;
      const std::byte* const x1 = x + kHalfRows * t.x_stride_bytes;
      if constexpr (kStep == 32) {
        T::load_half_weights(weights);
        T::template multiply_half_int8<0>(x, t.x_stride_bytes);
        if (t.rows > kHalfRows) T::template multiply_half_int8<1>(x1, t.x_stride_bytes);
      } else {
        T::load_weights(weights);
        T::template multiply_int8<0>(x, t.x_stride_bytes);
        if (t.rows > kHalfRows) T::template multiply_int8<1>(x1, t.x_stride_bytes);
      }
      T::template store_sums<0>(sums[0]);
      if (t.rows > kHalfRows) T::template store_sums<1>(sums[1]);
      const std::uint16_t* const scales = t.weight_scales + at / kGroup * kPanelRows;
      add_sums(t, 0, at / kStep, sums[0], scales);
      add_sums(t, kHalfRows, at / kStep, sums[1], scales);
    }
  }

  static void bfloat16(const TileArguments& t) {
    float* const second = t.sums + kHalfRows * kPanelRows;
    T::template load_sums<0>(t.sums);
    if (t.rows > kHalfRows) T::template load_sums<1>(second);
    for (std::int64_t half_block = 0; half_block < t.blocks * 2; ++half_block) {  // 32 columns
      const std::byte* const x = t.x + half_block * 64;
      T::load_weights(t.weights + half_block * 1024);
      T::template add_bfloat16<0>(x, t.x_stride_bytes);
      if (t.rows > kHalfRows) T::template add_bfloat16<1>(x + kHalfRows * t.x_stride_bytes, t.x_stride_bytes);
    }
    T::template store_sums<0>(t.sums);
    if (t.rows > kHalfRows) T::template store_sums<1>(second);
  }

  // Of the integer formats few rows stay where they are: they are the same bits. bfloat16 is AMX's own for any number
  // of rows, since its sums are not those of other instructions.
  static void use(LinearKernels& kernels) {
    const auto set = [](LinearKernel& kernel, void (*tile)(const TileArguments&)) {
      kernel.tile = tile;
      kernel.tile_rows = 2 * kHalfRows;
      kernel.row_multiple = kHalfRows;
      kernel.enter = T::configure;
      kernel.leave = T::release;
    };
    constexpr std::int64_t kManyRows = 9;
    set(kernels.int8.many, int8);
    set(kernels.int4[0].many, int4<32>);
    set(kernels.int4[1].many, int4<64>);
    set(kernels.int4[2].many, int4<128>);
    kernels.int8.many_rows = kManyRows;
    for (FormatKernels& format : kernels.int4) format.many_rows = kManyRows;
    set(kernels.bfloat16.few, bfloat16);
    set(kernels.bfloat16.many, bfloat16);
  }
};

}  // namespace weft::model
