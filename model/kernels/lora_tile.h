// The adapters' kernels over a vector type V; see lora_kernel.h. Included by a file an instruction set.
#pragma once

#include <cstdint>

#include "model/kernels/lora_kernel.h"

namespace weft::model {

template <class V>
struct LoraTiles {
  using Float = typename V::Float;
  static constexpr std::int64_t kLanes = V::kLanes;
  static constexpr int kVectors = static_cast<int>(kLoraLanes / kLanes);
  static constexpr std::int64_t kAhead = 1024;  // floats: what a core reads ahead by itself ends at pages
  static constexpr std::int64_t kAheadOfY = 64;

  // Sums kFirst … kFirst + kAtOnce - 1 of kSums, of kRows rows, in `y` afterwards. Few rows read the panel once, for
  // all sums; more find it in the nearest cache.
  template <int kRows, int kSums, int kAtOnce>
  static inline __attribute__((always_inline)) void some_sums(const LoraTile& t, std::int64_t first) {
    Float sums[kAtOnce][kRows][kVectors];
    _Pragma("GCC unroll 16") for (int s = 0; s < kAtOnce; ++s) {
      _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
        _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) sums[s][r][v] = V::set(0.0F);
      }
    }
    const float* x[kRows];
    _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) x[r] = t.x + t.x_rows[r] * t.x_stride;
    const auto add = [&](int s, std::int64_t k) __attribute__((always_inline)) {
      Float weights[kVectors];
      _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) {
        weights[v] = V::load(t.panel + k * kLoraLanes + v * kLanes);
      }
      _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
        const Float one = V::set(x[r][k]);
        _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) sums[s][r][v] =
            V::fma(weights[v], one, sums[s][r][v]);
      }
    };
    std::int64_t k = first;
    for (; k + kAtOnce <= t.columns; k += kSums) {
      _Pragma("GCC unroll 16") for (int s = 0; s < kAtOnce; ++s) {
        if constexpr (kSums > 1) __builtin_prefetch(t.panel + (k + s) * kLoraLanes + kAhead);
        add(s, k + s);
      }
    }
    _Pragma("GCC unroll 16") for (int s = 0; s < kAtOnce; ++s) {
      if (k + s < t.columns) add(s, k + s);
    }
    _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
      _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) {
        const std::int64_t lanes = t.width - v * kLanes;
        float* const to = t.y + t.y_rows[r] * t.y_stride + v * kLanes;
        Float y = V::load_part(to, lanes);
        _Pragma("GCC unroll 16") for (int s = 0; s < kAtOnce; ++s) y = V::add(y, sums[s][r][v]);
        V::store_part(to, y, lanes);
      }
    }
  }

  // Eight vectors of sums that do not wait for each other keep a core's two multipliers at work; where there are
  // registers for more, the panel is read once for all four sums.
  static constexpr int kAccumulators = kVectors == 1 ? 16 : 8;
  template <int kRows, int kSums>
  static void rows(const LoraTile& t) {
    constexpr int kFit = kAccumulators / (kRows * kVectors), kAtOnce = kFit < 1 ? 1 : kFit > kSums ? kSums : kFit;
    for (std::int64_t first = 0; first < kSums; first += kAtOnce) some_sums<kRows, kSums, kAtOnce>(t, first);
  }

  template <int kSums>
  static inline __attribute__((always_inline)) void one_panel(LoraTile t) {
    const auto use = [&](void (*kernel)(const LoraTile&), std::int64_t count) __attribute__((always_inline)) {
      for (; t.rows >= count; t.rows -= count) {
        kernel(t);
        t.x_rows += count;
        t.y_rows += count;
      }
    };
    if constexpr (kAccumulators / kSums >= 8) use(rows<8, kSums>, 8);
    use(rows<4, kSums>, 4);
    use(rows<2, kSums>, 2);
    use(rows<1, kSums>, 1);
  }

  template <int kSums>
  static void panels(const LoraTile& all) {
    LoraTile t = all;
    for (; t.width > 0; t.width -= kLoraLanes) {
      // Of B and of y each line is read once, a few here and there.
      for (std::int64_t k = 0; kSums == 1 && k < t.columns; ++k) __builtin_prefetch(t.panel + k * kLoraLanes + kAhead);
      for (std::int64_t r = 0; kSums == 1 && r < t.rows; ++r)
        __builtin_prefetch(t.y + t.y_rows[r] * t.y_stride + kAheadOfY);
      one_panel<kSums>(t);
      t.panel += t.panel_stride;
      t.y += kLoraLanes;
    }
  }

  static LoraKernels kernels() { return {.shrink = panels<4>, .expand = panels<1>}; }
};

}  // namespace weft::model
