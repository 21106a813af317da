// PortableVector: kLanes floats as the kernels' templates want a vector, in plain C++. What runs where there is no
// better one, and what tests put in the place of instruction sets that their machine lacks. Pure.
//
// The other vectors (vector_avx2.h, vector_avx512.h) have the same members.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace weft::model {

template <int kWidth>
struct PortableVector {
  static constexpr int kLanes = kWidth;
  struct Float {
    float lane[kWidth];
  };

  template <class F>
  static Float each(F&& f) {
    Float out;
    for (int i = 0; i < kWidth; ++i) out.lane[i] = f(i);
    return out;
  }
  static Float set(float value) {
    return each([=](int) { return value; });
  }
  static Float load(const float* p) {
    return each([=](int i) { return p[i]; });
  }
  // The first `count` lanes; the others are zero.
  static Float load_part(const float* p, std::int64_t count) {
    return each([=](int i) { return i < count ? p[i] : 0.0F; });
  }
  static Float load_bfloat16(const std::uint16_t* p) {
    return each([=](int i) { return std::bit_cast<float>(std::uint32_t{p[i]} << 16); });
  }
  static void store(float* p, Float a) {
    for (int i = 0; i < kWidth; ++i) p[i] = a.lane[i];
  }
  static void store_part(float* p, Float a, std::int64_t count) {
    for (int i = 0; i < kWidth && i < count; ++i) p[i] = a.lane[i];
  }
  static Float add(Float a, Float b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Float sub(Float a, Float b) {
    return each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Float mul(Float a, Float b) {
    return each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Float div(Float a, Float b) {
    return each([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  static Float sqrt(Float a) {
    return each([&](int i) { return std::sqrt(a.lane[i]); });
  }
  static Float max(Float a, Float b) {
    return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Float min(Float a, Float b) {
    return each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Float fma(Float a, Float b, Float c) {
    return each([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static Float round(Float a) {
    return each([&](int i) { return std::nearbyint(a.lane[i]); });
  }
  // 2^a for whole numbers from -127 on, where it is 0, to 127.
  static Float power_of_two(Float a) {
    return each([&](int i) {
      const bool known = a.lane[i] >= -127.0F && a.lane[i] <= 127.0F;
      return std::bit_cast<float>(((known ? static_cast<std::int32_t>(a.lane[i]) : 0) + 127) << 23);
    });
  }
  static float sum(Float a) {
    for (int step = kWidth / 2; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) a.lane[i] += a.lane[i + step];
    }
    return a.lane[0];
  }
  static float largest(Float a) {
    float out = a.lane[0];
    for (int i = 1; i < kWidth; ++i) out = a.lane[i] > out ? a.lane[i] : out;
    return out;
  }
  // to[d * stride + lane] = rows[lane][d] for 8 values of d.
  template <class Entry>
  static void transpose8(const Entry* const* rows, std::int64_t at, float* to, std::int64_t stride) {
    for (int d = 0; d < 8; ++d) {
      for (int i = 0; i < kWidth; ++i) to[d * stride + i] = number(rows[i][at + d]);
    }
  }
  static float number(float value) { return value; }
  static float number(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

}  // namespace weft::model
