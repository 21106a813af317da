// The two 16-bit floating-point formats of the device, for the processor. Rounding is to the nearest, ties to even.
// Pure.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace weft::cuda_on_cpu {

struct Bf16 {
  std::uint16_t bits;
};
struct Half {
  std::uint16_t bits;
};

inline float to_float(float value) { return value; }
inline float to_float(Bf16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16U); }
inline float to_float(Half value) {
  const int exponent = value.bits >> 10U & 0x1F, fraction = value.bits & 0x3FF;
  const float sign = (value.bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 0x1F) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
}

template <class T>
T from_float(float value);
template <>
inline float from_float<float>(float value) {
  return value;
}
template <>
inline Bf16 from_float<Bf16>(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return {0x7FC0};
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U)};
}
template <>
inline Half from_float<Half>(float value) {
  const auto sign = static_cast<std::uint32_t>(std::signbit(value) ? 0x8000 : 0);
  const float size = std::fabs(value);
  const auto with_sign = [sign](std::uint32_t bits) { return Half{static_cast<std::uint16_t>(sign | bits)}; };
  if (std::isnan(value)) return with_sign(0x7E00);
  if (size >= 65520.0F) return with_sign(0x7C00);  // what would round to 65536
  // The unit in the last place: of the exponent that the value has, of the least one for subnormal numbers.
  const int exponent = std::max(size > 0 ? std::ilogb(size) : -14, -14);
  const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return with_sign((static_cast<std::uint32_t>(exponent + 14) << 10U) + units);  // 1024 units carry into the exponent
}

}  // namespace weft::cuda_on_cpu
