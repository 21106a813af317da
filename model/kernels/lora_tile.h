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
  static constexpr std::int64_t kAhead = 2048;  // floats: what a core reads ahead by itself ends at pages
  static constexpr std::int64_t kAheadOfY = 64;
  static constexpr int kOneRowPanels = 4;  // at once, where one sum would wait for itself

  // Sums first … first + kAtOnce - 1 of kSums, of kRows rows by kPanels panels, added to y. Few rows read the panel
  // once, for all sums; more find it in the nearest cache.
  template <int kRows, int kSums, int kAtOnce, int kPanels>
  static inline __attribute__((always_inline)) void some_sums(const LoraTile& t, std::int64_t first) {
    Float sums[kPanels][kAtOnce][kRows][kVectors];
    each<kPanels, kAtOnce, kRows>([&](int p, int s, int r, int v)
                                      __attribute__((always_inline)) { sums[p][s][r][v] = V::set(0.0F); });
    const float* x[kRows];
    _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) x[r] = t.x + t.x_rows[r] * t.x_stride;
    const auto add = [&](int s, std::int64_t k) __attribute__((always_inline)) {
      _Pragma("GCC unroll 16") for (int p = 0; p < kPanels; ++p) {
        const float* const at = t.panel + p * t.panel_stride + k * kLoraLanes;
        Float weights[kVectors];
        _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) weights[v] = V::load(at + v * kLanes);
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          const Float one = V::set(x[r][k]);
          _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) {
            sums[p][s][r][v] = V::fma(weights[v], one, sums[p][s][r][v]);
          }
        }
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
    each<kPanels, 1, kRows>([&](int p, int, int r, int v) __attribute__((always_inline)) {
      const std::int64_t at = p * kLoraLanes + v * kLanes;
      float* const to = t.y + t.y_rows[r] * t.y_stride + at;
      Float y = V::load_part(to, t.width - at);
      _Pragma("GCC unroll 16") for (int s = 0; s < kAtOnce; ++s) y = V::add(y, sums[p][s][r][v]);
      V::store_part(to, y, t.width - at);
    });
  }

  template <int kPanels, int kSums, int kRows, class Body>
  static inline __attribute__((always_inline)) void each(const Body& body) {
    _Pragma("GCC unroll 16") for (int p = 0; p < kPanels; ++p) {
      _Pragma("GCC unroll 16") for (int s = 0; s < kSums; ++s) {
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          _Pragma("GCC unroll 2") for (int v = 0; v < kVectors; ++v) body(p, s, r, v);
        }
      }
    }
  }

  // Eight vectors of sums that do not wait for each other keep a core's two multipliers at work; where there are
  // registers for more, the panel is read once for all four sums.
  static constexpr int kAccumulators = kVectors == 1 ? 16 : 8;
  template <int kRows, int kSums>
  static void rows(const LoraTile& t) {
    constexpr int kFit = kAccumulators / (kRows * kVectors), kAtOnce = kFit < 1 ? 1 : kFit > kSums ? kSums : kFit;
    for (std::int64_t first = 0; first < kSums; first += kAtOnce) some_sums<kRows, kSums, kAtOnce, 1>(t, first);
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

  static void shrink(const LoraTile& t) { one_panel<4>(t); }

  static void expand(const LoraTile& all) {
    LoraTile t = all;
    for (int done = 0; t.width > 0; t.width -= done * kLoraLanes) {
      done = t.rows == 1 && t.width >= kOneRowPanels * kLoraLanes ? kOneRowPanels : 1;
      // Of B and of y each line is read once, a few here and there.
      for (std::int64_t k = 0; k < done * t.columns; ++k) __builtin_prefetch(t.panel + k * kLoraLanes + kAhead);
      for (std::int64_t r = 0; r < t.rows; ++r) __builtin_prefetch(t.y + t.y_rows[r] * t.y_stride + kAheadOfY);
      if (done == 1) {
        one_panel<1>(t);
      } else {
        some_sums<1, 1, 1, kOneRowPanels>(t, 0);
      }
      t.panel += done * t.panel_stride;
      t.y += done * kLoraLanes;
    }
  }

  static LoraKernels kernels() { return {.shrink = shrink, .expand = expand}; }
};

}  // namespace weft::model
