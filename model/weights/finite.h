// Looking for NaN and infinity while weights are read, at the pace of memory: whole stretches without a branch, which
// compilers vectorise. Pure.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "model/weights/half.h"

namespace weft::model {

// All bits where the exponent is all ones, else none: as wide as the value, so that a vector holds as many.
inline std::uint32_t not_finite(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7F800000U) == 0x7F800000U ? 0xFFFFFFFFU : 0U;
}
inline std::uint16_t not_finite(Bf16 value) {
  return (static_cast<std::uint16_t>(value) & 0x7F80U) == 0x7F80U ? std::uint16_t{0xFFFF} : std::uint16_t{0};
}

// Of fp32 or bf16.
template <class T>
std::optional<std::size_t> first_not_finite(std::span<const T> values) {
  constexpr std::size_t kStretch = 1024;
  for (std::size_t begin = 0; begin < values.size(); begin += kStretch) {
    const auto stretch = values.subspan(begin, std::min(kStretch, values.size() - begin));
    decltype(not_finite(T{})) any = 0;
    for (const T value : stretch) any |= not_finite(value);
    if (any == 0) continue;
    const auto found = std::ranges::find_if(stretch, [](T value) { return not_finite(value) != 0; });
    return begin + static_cast<std::size_t>(found - stretch.begin());
  }
  return std::nullopt;
}

}  // namespace weft::model
