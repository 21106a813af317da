// The vectors and tiles that the VNNI and AMX kernels are written over, in plain C++ after the instructions' manual: so
// their logic is tested on machines that lack them.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "model/kernels/linear_amx_tile.h"
#include "model/kernels/linear_vnni_tile.h"
#include "model/weights/half.h"

namespace weft::model {

struct SoftwareVector {
  using Int = std::array<std::int32_t, 16>;
  using Float = std::array<float, 16>;
  using Bytes = std::array<std::uint8_t, 64>;
  using Pairs = std::array<std::int16_t, 32>;

  template <class Out, class F>
  static Out each(F&& f) {
    Out out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<typename Out::value_type>(f(i));
    return out;
  }
  template <class F>
  static Int bytes(Int a, Int b, F&& f) {
    const Bytes x = std::bit_cast<Bytes>(a), y = std::bit_cast<Bytes>(b);
    return std::bit_cast<Int>(each<Bytes>([&](std::size_t i) { return f(x[i], y[i]); }));
  }
  static Int load(const std::byte* p) {
    Int out;
    std::memcpy(out.data(), p, 64);
    return out;
  }
  static void store(std::byte* p, Int a) { std::memcpy(p, a.data(), 64); }
  static Int broadcast4(const std::byte* p) {
    std::int32_t four = 0;
    std::memcpy(&four, p, 4);
    return set(four);
  }
  static Int set(std::int32_t value) {
    return each<Int>([=](std::size_t) { return value; });
  }
  static Int set_bytes(int value) {
    return std::bit_cast<Int>(each<Bytes>([=](std::size_t) { return value; }));
  }
  static Int set_pairs(int value) {
    return std::bit_cast<Int>(each<Pairs>([=](std::size_t) { return value; }));
  }
  static Int exclusive_or(Int a, Int b) {
    return bytes(a, b, [](int x, int y) { return x ^ y; });
  }
  static Int both_bits(Int a, Int b) {
    return bytes(a, b, [](int x, int y) { return x & y; });
  }
  static Int subtract_bytes(Int a, Int b) {
    return bytes(a, b, [](int x, int y) { return x - y; });
  }
  static Int right4(Int a) {
    const auto x = std::bit_cast<std::array<std::uint16_t, 32>>(a);
    return std::bit_cast<Int>(each<std::array<std::uint16_t, 32>>([&](std::size_t i) { return x[i] >> 4; }));
  }
  template <int kStrides, int kOffset>
  static Int add_products(Int sum, Int a, const std::byte* b, std::int64_t stride) {
    return add_products(sum, a, broadcast4(b + kStrides * stride + kOffset));
  }
  static Int add_products(Int sum, Int a, Int b) {
    const Bytes x = std::bit_cast<Bytes>(a);
    const auto y = std::bit_cast<std::array<std::int8_t, 64>>(b);
    for (std::size_t i = 0; i < 64; ++i) sum[i / 4] += x[i] * y[i];
    return sum;
  }
  static Int multiply_pairs(Int a, Int b) {
    const Pairs x = std::bit_cast<Pairs>(a), y = std::bit_cast<Pairs>(b);
    return each<Int>([&](std::size_t i) { return x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1]; });
  }
  static Float load_floats(const float* p) {
    return each<Float>([=](std::size_t i) { return p[i]; });
  }
  static void store_floats(float* p, Float a) { std::memcpy(p, a.data(), 64); }
  static Float load_halves(const std::uint16_t* p) {
    return each<Float>([=](std::size_t i) { return model::to_float(static_cast<Half>(p[i])); });
  }
  static Float set_float(float value) {
    return each<Float>([=](std::size_t) { return value; });
  }
  static Float to_float(Int a) {
    return each<Float>([&](std::size_t i) { return a[i]; });
  }
  static Float load_to_float(const std::int32_t* p) {
    return each<Float>([=](std::size_t i) { return p[i]; });
  }
  static Float multiply(Float a, Float b) {
    return each<Float>([&](std::size_t i) { return a[i] * b[i]; });
  }
  static Float fma(Float a, Float b, Float c) {
    return each<Float>([&](std::size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static Float low_bfloat16(Int pairs) {
    return each<Float>([&](std::size_t i) { return std::bit_cast<float>(pairs[i] << 16); });
  }
  static Float high_bfloat16(Int pairs) {
    return each<Float>([&](std::size_t i) { return std::bit_cast<float>(pairs[i] & ~0xffff); });
  }
  template <int kStrides, int kOffset>
  static Float add_bfloat16_products(Float sum, Int a, const std::byte* at, std::int64_t stride) {
    const Int b = broadcast4(at + kStrides * stride + kOffset);
    const Float a0 = low_bfloat16(a), a1 = high_bfloat16(a), b0 = low_bfloat16(b), b1 = high_bfloat16(b);
    return each<Float>([&](std::size_t i) { return std::fma(a0[i], b0[i], std::fma(a1[i], b1[i], sum[i])); });
  }
  static void prefetch(const std::byte*) {}
};

// One thread's tiles.
struct SoftwareTile {
  static inline int configured = 0;
  static inline std::array<std::byte, 1024> weights{};
  static inline std::array<std::array<std::int32_t, 256>, 2> sums{};

  static void configure() { ++configured; }
  static void release() { --configured; }
  static void load_weights(const std::byte* p) { std::memcpy(weights.data(), p, 1024); }
  static void load_half_weights(const std::byte* p) { std::memcpy(weights.data(), p, 512); }
  template <int kHalf>
  static void load_sums(const float* p) {
    std::memcpy(sums[kHalf].data(), p, 1024);
  }
  template <int kHalf>
  static void store_sums(void* p) {
    WEFT_CHECK(configured == 1);
    std::memcpy(p, sums[kHalf].data(), 1024);
  }
  template <int kHalf>
  static void multiply_int8(const std::byte* x, std::int64_t stride) {
    products(sums[kHalf], x, stride, 64);
  }
  template <int kHalf>
  static void multiply_half_int8(const std::byte* x, std::int64_t stride) {
    products(sums[kHalf], x, stride, 32);
  }
  static void products(std::array<std::int32_t, 256>& out, const std::byte* x, std::int64_t stride, int columns) {
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        int sum = 0;
        for (int k = 0; k < columns; ++k) {
          sum += static_cast<std::int8_t>(x[m * stride + k]) *
                 static_cast<std::int8_t>(weights[static_cast<std::size_t>(k / 4 * 64 + n * 4 + k % 4)]);
        }
        out[static_cast<std::size_t>(m * 16 + n)] = sum;
      }
    }
  }
  template <int kHalf>
  static void add_bfloat16(const std::byte* x, std::int64_t stride) {
    const auto* const w = reinterpret_cast<const Bf16*>(weights.data());
    for (int m = 0; m < 16; ++m) {
      const auto* const row = reinterpret_cast<const Bf16*>(x + m * stride);
      for (int n = 0; n < 16; ++n) {
        std::int32_t& at = sums[kHalf][static_cast<std::size_t>(m * 16 + n)];
        float sum = std::bit_cast<float>(at);
        for (int k = 0; k < 32; ++k) {
          sum = std::fma(to_float(row[k]), to_float(w[(k / 2 * 16 + n) * 2 + k % 2]), sum);
        }
        at = std::bit_cast<std::int32_t>(sum);
      }
    }
  }
};

inline void round_row_in_software(const ActivationRow& row) {
  auto* const out = static_cast<Bf16*>(row.out);
  for (std::int64_t i = 0; i < row.padded; ++i) out[i] = i < row.columns ? to_bf16(row.x[i]) : Bf16{};
}

}  // namespace weft::model
