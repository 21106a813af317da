// bfloat16 and fp16 as bits, to and from fp32. Pure. Only for code that is compiled for every processor.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace weft::model {

inline float bfloat16_to_float(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// To nearest, halves to even; NaN stays NaN.
inline std::uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

inline float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const auto fraction = static_cast<float>(bits & 0x3ff);
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) {
    const float special =
        fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    return sign * special;
  }
  return sign * std::ldexp(fraction + 1024.0F, exponent - 25);
}

// For a number that fp16 holds; others come back different from half_to_float.
inline std::uint16_t exact_float_to_half(float value) {
  const float magnitude = std::fabs(value);
  const int sign = std::signbit(value) ? 0x8000 : 0;
  if (!(magnitude < 65536.0F)) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (magnitude < 0x1p-14F) return static_cast<std::uint16_t>(sign | static_cast<int>(std::ldexp(magnitude, 24)));
  int exponent = 0;
  const float fraction = std::frexp(magnitude, &exponent);  // in [0.5, 1)
  return static_cast<std::uint16_t>(sign | ((exponent + 14) << 10) |
                                    (static_cast<int>(std::ldexp(fraction, 11)) - 1024));
}

}  // namespace weft::model
