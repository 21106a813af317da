// The linear kernels of instruction sets that multiply bytes and add in fours (VNNI), and their fp32 and bfloat16
// beside them, over a type V of 64-byte vectors: the real one in linear_avx512.cc, one in software in the tests of
// machines without. Numbers and layout: linear_kernels.h.
//
// The instruction wants its first factor unsigned. int8: w + 128, which flips a bit, int4: q + 8, as it is stored; what
// that adds to the sum is taken off its beginning, from the corrections of the activations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "model/kernels/linear_kernels.h"

namespace weft::model {

// Rows of activations as an instruction addresses them, a base and up to eight strides: 16 rows by six registers, where
// a pointer to each would not leave enough.
template <int kRows>
struct RowBases {
  static constexpr int kBases = kRows <= 2 ? 1 : kRows <= 4 ? 2 : kRows <= 8 ? 3 : 6;
  static constexpr int kBaseOf[16] = {0, 0, 0, 1, 0, 1, 2, 1, 0, 3, 2, 1, 4, 3, 2, 5};     // three rows apart
  static constexpr int kStridesOf[16] = {0, 1, 2, 0, 4, 2, 0, 4, 8, 0, 4, 8, 0, 4, 8, 0};  // 0, 1, 2, 4 or 8

  const std::byte* base[kBases];
  std::int64_t stride;

  inline __attribute__((always_inline)) RowBases(const std::byte* first, std::int64_t row_stride) : stride(row_stride) {
    for (int i = 0; i < kBases; ++i) base[i] = first + 3 * i * row_stride;
  }
  inline __attribute__((always_inline)) void advance(std::int64_t bytes) {
    for (int i = 0; i < kBases; ++i) base[i] += bytes;
  }
};

template <class V>
struct VnniTile {
  using Int = typename V::Int;      // 16 int32, or 64 bytes
  using Float = typename V::Float;  // 16 floats

  // body<0>() … body<kCount - 1>()
  template <int kCount, class Body>
  static inline __attribute__((always_inline)) void repeat(const Body& body) {
    [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) __attribute__((always_inline)) {
      (body.template operator()<kIndex>(), ...);
    }
    (std::make_integer_sequence<int, kCount>());
  }

  // sums[r] + the four products with w of row r's activations kOffset bytes behind `x`.
  template <int kRows, int kOffset>
  static inline __attribute__((always_inline)) void add_products(Int (&sums)[kRows], Int w, const RowBases<kRows>& x) {
    using R = RowBases<kRows>;
    repeat<kRows>([&]<int r>() __attribute__((always_inline)) {
      sums[r] = V::template add_products<R::kStridesOf[r], kOffset>(sums[r], w, x.base[R::kBaseOf[r]], x.stride);
    });
  }

  template <int kRows, class Step>
  static inline __attribute__((always_inline)) void with_sums(const TileArguments& t, const Step& step) {
    Float totals[kRows];
    _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) totals[r] = V::load_floats(t.sums + r * kPanelRows);
    step(totals);
    _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) V::store_floats(t.sums + r * kPanelRows, totals[r]);
  }

  template <int kRows>
  static void int8(const TileArguments& t) {
    with_sums<kRows>(t, [&](Float(&totals)[kRows]) {
      const Int flip = V::set_bytes(0x80), surplus = V::set_pairs(16);  // 16 times -8 times the sum of q
      for (std::int64_t block = 0; block < t.blocks; ++block) {
        const std::byte* const weights = t.weights + block * 1024;
        RowBases<kRows> x(t.x + block * kBlockColumns, t.x_stride_bytes);
        Int sums[kRows];
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          sums[r] = V::multiply_pairs(V::set(t.x_corrections[r * t.scale_stride + block]), surplus);
        }
        const auto weights_of = [&](int quad) __attribute__((always_inline)) {
          V::prefetch(weights + quad * 64);
          return V::exclusive_or(V::load(weights + quad * 64), flip);
        };
        if constexpr (kRows <= 4) {  // which wait for memory, and less if the compiler asks for all of it first
          for (int quad = 0; quad < 16; ++quad) {
            const Int w = weights_of(quad);
            _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
              sums[r] = V::add_products(sums[r], w, V::broadcast4(x.base[0] + r * x.stride + quad * 4));
            }
          }
        } else {
          for (int quad = 0; quad < 16; quad += 4, x.advance(16)) {
            repeat<4>([&]<int q>() __attribute__((always_inline)) {
              add_products<kRows, q * 4>(sums, weights_of(quad + q), x);
            });
          }
        }
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          const Float scale = V::set_float(t.x_scales[r * t.scale_stride + block]);
          totals[r] = V::fma(V::to_float(sums[r]), scale, totals[r]);
        }
      }
    });
  }

  template <std::int64_t kGroup, int kRows>
  static void int4(const TileArguments& t) {
    constexpr int kOctets = kGroup == 32 ? 4 : 8;  // of columns, an activation scale
    with_sums<kRows>(t, [&](Float(&totals)[kRows]) {
      const Int low = V::set_bytes(0x0f), surplus = V::set_pairs(1);
      const std::int64_t steps = t.blocks * (8 / kOctets);
      for (std::int64_t step = 0; step < steps; ++step) {
        const std::byte* const weights = t.weights + step * (kOctets * 64);
        RowBases<kRows> x(t.x + step * (kOctets * 8), t.x_stride_bytes);
        Int sums[kRows];
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          sums[r] = V::multiply_pairs(V::set(t.x_corrections[r * t.scale_stride + step]), surplus);
        }
        for (int octet = 0; octet < kOctets; octet += 2, x.advance(16)) {
          repeat<2>([&]<int o>() __attribute__((always_inline)) {
            V::prefetch(weights + (octet + o) * 64);
            const Int both = V::load(weights + (octet + o) * 64);
            add_products<kRows, o * 8>(sums, V::both_bits(both, low), x);
            add_products<kRows, o * 8 + 4>(sums, V::both_bits(V::right4(both), low), x);
          });
        }
        const Float weight_scale = V::load_halves(t.weight_scales + step * (kOctets * 8) / kGroup * kPanelRows);
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          const Float x_scale = V::set_float(t.x_scales[r * t.scale_stride + step]);
          totals[r] = V::fma(V::to_float(sums[r]), V::multiply(x_scale, weight_scale), totals[r]);
        }
      }
    });
  }

  template <bool kBFloat16, int kRows>
  static void floats(const TileArguments& t) {
    with_sums<kRows>(t, [&](Float(&totals)[kRows]) {
      const auto* const x = reinterpret_cast<const float*>(t.x);
      const std::int64_t stride = t.x_stride_bytes / 4;
      const auto add_column = [&](Float w, std::int64_t k) __attribute__((always_inline)) {
        _Pragma("GCC unroll 16") for (int r = 0; r < kRows; ++r) {
          totals[r] = V::fma(w, V::set_float(x[r * stride + k]), totals[r]);
        }
      };
      for (std::int64_t k = 0; k < t.blocks * kBlockColumns; k += 2) {
        if constexpr (kBFloat16) {
          const Int pairs = V::load(t.weights + k * 32);
          V::prefetch(t.weights + k * 32);
          add_column(V::low_bfloat16(pairs), k);
          add_column(V::high_bfloat16(pairs), k + 1);
        } else {
          const auto* const weights = reinterpret_cast<const float*>(t.weights) + k * kPanelRows;
          V::prefetch(t.weights + k * 64);
          V::prefetch(t.weights + k * 64 + 64);
          add_column(V::load_floats(weights), k);
          add_column(V::load_floats(weights + kPanelRows), k + 1);
        }
      }
    });
  }

  // Activations and weights in bfloat16, two columns at a time.
  template <int kRows>
  static void bfloat16_pairs(const TileArguments& t) {
    with_sums<kRows>(t, [&](Float(&totals)[kRows]) {
      RowBases<kRows> x(t.x, t.x_stride_bytes);
      using R = RowBases<kRows>;
      for (std::int64_t pair = 0; pair < t.blocks * (kBlockColumns / 2); pair += 4, x.advance(16)) {
        repeat<4>([&]<int p>() __attribute__((always_inline)) {
          V::prefetch(t.weights + (pair + p) * 64);
          const Int w = V::load(t.weights + (pair + p) * 64);
          repeat<kRows>([&]<int r>() __attribute__((always_inline)) {
            totals[r] = V::template add_bfloat16_products<R::kStridesOf[r], p * 4>(totals[r], w, x.base[R::kBaseOf[r]],
                                                                                   x.stride);
          });
        });
      }
    });
  }
};

// As many rows as t has: sixteens, then what is left by halves.
template <void (*k16)(const TileArguments&), void (*k8)(const TileArguments&), void (*k4)(const TileArguments&),
          void (*k2)(const TileArguments&), void (*k1)(const TileArguments&)>
void by_rows(const TileArguments& all) {
  TileArguments t = all;
  const auto use = [&](void (*kernel)(const TileArguments&), std::int64_t rows) __attribute__((always_inline)) {
    while (t.rows >= rows) {
      kernel(t);
      t.x += rows * t.x_stride_bytes;
      t.x_scales += rows * t.scale_stride;
      t.x_corrections += rows * t.scale_stride;
      t.sums += rows * kPanelRows;
      t.rows -= rows;
    }
  };
  use(k16, 16);
  use(k8, 8);
  use(k4, 4);
  use(k2, 2);
  use(k1, 1);
}

// The table's entries for V: everything but what prepares activations, which stays as it is.
template <class V>
void use_vnni(LinearKernels& kernels) {
  using T = VnniTile<V>;
  const auto set = [](FormatKernels& format, void (*tile)(const TileArguments&)) {
    for (LinearKernel* const kernel : {&format.few, &format.many}) {
      kernel->tile = tile;
      kernel->tile_rows = 16;
    }
  };
#define WEFT_BY_ROWS(...)                                                                        \
  by_rows<T::template __VA_ARGS__ 16>, T::template __VA_ARGS__ 8 >, T::template __VA_ARGS__ 4 >, \
      T::template __VA_ARGS__ 2 >, T::template __VA_ARGS__ 1 >>
  set(kernels.int8, WEFT_BY_ROWS(int8 <));
  set(kernels.int4[0], WEFT_BY_ROWS(int4 < 32, ));
  set(kernels.int4[1], WEFT_BY_ROWS(int4 < 64, ));
  set(kernels.int4[2], WEFT_BY_ROWS(int4 < 128, ));
  set(kernels.float32, WEFT_BY_ROWS(floats < false, ));
  set(kernels.bfloat16, WEFT_BY_ROWS(floats < true, ));
}

template <class V>
void use_bfloat16_pairs(LinearKernels& kernels, void (*prepare)(const ActivationRow&)) {
  using T = VnniTile<V>;
  for (LinearKernel* const kernel : {&kernels.bfloat16.few, &kernels.bfloat16.many}) {
    kernel->prepare = prepare;
    kernel->tile = WEFT_BY_ROWS(bfloat16_pairs <);
    kernel->activations = ActivationFormat::kBFloat16;
    kernel->tile_rows = 16;
  }
}
#undef WEFT_BY_ROWS

}  // namespace weft::model
