// The two 16-bit floats that weights are stored in, and fp32. Rounding is to nearest, ties to even. Pure; written
// without branches where that lets compilers vectorise a loop over them. Only for code that is compiled for every
// processor: of a function that stands in several files the linker keeps any one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace weft::model {

enum class Bf16 : std::uint16_t {};  // the upper half of an fp32
enum class Half : std::uint16_t {};  // IEEE 754 binary16: 5 bits of exponent, 10 of mantissa

inline float to_float(Bf16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U); }

inline float to_float(Half value) {
  const auto bits = static_cast<std::uint32_t>(value);
  const std::uint32_t shifted = (bits & 0x7FFFU) << 13U;
  // The product moves the exponent's bias, of subnormal numbers too; an exponent of all ones has to stay one.
  const auto magnitude = std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted) * 0x1p112F);
  const std::uint32_t special = shifted >= 0x0F800000U ? 0x7F800000U : 0U;
  return std::bit_cast<float>(magnitude | special | (bits & 0x8000U) << 16U);
}

inline Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return static_cast<Bf16>(is_nan ? (bits >> 16U) | 0x40U : rounded);
}

// Beyond what it holds: infinity.
inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U, magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<Half>(sign | 0x7E00U);
  const float absolute = std::bit_cast<float>(magnitude);
  if (absolute >= 65520.0F) return static_cast<Half>(sign | 0x7C00U);
  if (absolute < 0x1p-14F) return static_cast<Half>(sign | static_cast<std::uint32_t>(std::lrint(absolute * 0x1p24F)));
  const std::uint32_t rounded = (magnitude + 0xFFFU + ((magnitude >> 13U) & 1U)) >> 13U;
  return static_cast<Half>(sign | (rounded - (112U << 10U)));
}

}  // namespace weft::model
