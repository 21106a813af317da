#include "model/weights/quantized.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "model/base/check.h"
#include "model/weights/half.h"

namespace weft::model {
namespace {

constexpr float kInt8Most = 127.0F, kInt4Least = -8.0F, kInt4Most = 7.0F;

// To the nearest whole number, ties to even, of what is far below 2^22: adding and taking away 1.5 * 2^23 leaves no
// room for a fraction. Unlike std::nearbyint it is vectorised.
constexpr float kShift = 12582912.0F;
float rounded(float value) { return (value + kShift) - kShift; }

// What the group's extreme value is divided by to give the scale. Beyond 8 the extreme value itself is cut off, which
// pays where it stands alone; below, the grid is coarser and reaches further. Both signs: only one end reaches -8.
constexpr std::array kDivisors{-8.0F,  -7.0F, -7.25F, -7.5F, -7.75F, -8.25F, -8.5F, -8.75F, -9.0F, -9.5F,
                               -10.0F, 7.0F,  7.25F,  7.5F,  7.75F,  8.0F,   8.5F,  9.0F,   9.5F};

// Eight numbers, a register of AVX2. Rounding is most of what it takes to load a model, so it is compiled twice where
// processors differ; what it computes is the same.
using Lanes = float __attribute__((vector_size(32)));
constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(float);
#if defined(__x86_64__)
#define WEFT_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define WEFT_CLONES
#endif

// The next of `values` from `at` on, zeros behind the last.
inline __attribute__((always_inline)) void load(std::span<const float> values, std::size_t at, Lanes& x) {
  x = Lanes{};
  if (at + kLanes <= values.size()) {
    std::memcpy(&x, &values[at], sizeof(x));
  } else {
    std::memcpy(&x, &values[at], (values.size() - at) * sizeof(float));
  }
}

WEFT_CLONES float largest_magnitude(std::span<const float> values) {
  Lanes most{};
  for (std::size_t at = 0; at < values.size(); at += kLanes) {
    Lanes x;
    load(values, at, x);
    const Lanes magnitude = x < 0 ? -x : x;
    most = magnitude > most ? magnitude : most;
  }
  float all = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) all = std::max(all, most[lane]);
  return all;
}

WEFT_CLONES void round_int8(std::span<const float> row, float inverse, std::int8_t* q) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    q[i] = static_cast<std::int8_t>(std::clamp(rounded(row[i] * inverse), -kInt8Most, kInt8Most));
  }
}

struct Fit {
  float scale = 0;
  float error = 0, product = 0, square = 0;  // sums over the group: (x - q s)^2, x q, q q
};

float int4_value(float x, float inverse) { return std::clamp(rounded(x * inverse), kInt4Least, kInt4Most); }

WEFT_CLONES Fit fit(std::span<const float> group, float scale) {
  const Lanes least = Lanes{} + kInt4Least, most = Lanes{} + kInt4Most;
  const float inverse = 1.0F / scale;
  Lanes error{}, product{}, square{};
  for (std::size_t at = 0; at < group.size(); at += kLanes) {
    Lanes x;
    load(group, at, x);
    Lanes q = (x * inverse + kShift) - kShift;
    q = q < least ? least : q;
    q = q > most ? most : q;
    const Lanes off = x - q * scale;
    error += off * off;
    product += x * q;
    square += q * q;
  }
  const auto sum = [](const Lanes& lanes) {
    float total = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) total += lanes[lane];
    return total;
  };
  return {scale, sum(error), sum(product), sum(square)};
}

float as_half(float value) {
  constexpr float kMost = 65504.0F;
  return to_float(to_half(std::clamp(value, -kMost, kMost)));
}

// Tries a few scales and, for each, the one that is best for what it rounds to. The first of equals stays.
float int4_scale(std::span<const float> group) {
  const auto extreme =
      std::max_element(group.begin(), group.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (*extreme == 0) return 0;
  Fit best;
  const auto consider = [&](float scale) {
    scale = as_half(scale);
    if (scale == 0) return Fit{};
    const Fit found = fit(group, scale);
    if (best.scale == 0 || found.error < best.error) best = found;
    return found;
  };
  for (const float divisor : kDivisors) {
    const Fit found = consider(*extreme / divisor);
    if (found.square > 0) consider(found.product / found.square);
  }
  return best.scale;
}

}  // namespace

float quantize_int8_row(std::span<const float> row, std::span<std::int8_t> q) {
  WEFT_CHECK(q.size() == row.size());
  const float scale = largest_magnitude(row) / kInt8Most, inverse = 1.0F / scale;
  if (!std::isfinite(inverse)) {  // all zero, or as good as
    std::ranges::fill(q, std::int8_t{0});
    return 0;
  }
  round_int8(row, inverse, q.data());
  return scale;
}

void quantize_int4_row(std::span<const float> row, std::int64_t group, std::span<std::uint8_t> packed,
                       std::span<float> scales) {
  const auto size = static_cast<std::size_t>(group);
  WEFT_CHECK(group > 0 && group % 2 == 0 && packed.size() == (row.size() + 1) / 2);
  WEFT_CHECK(scales.size() == (row.size() + size - 1) / size);
  std::ranges::fill(packed, std::uint8_t{0});
  for (std::size_t g = 0; g < scales.size(); ++g) {
    const auto values = row.subspan(g * size, std::min(size, row.size() - g * size));
    scales[g] = int4_scale(values);
    const float inverse = scales[g] == 0 ? 0.0F : 1.0F / scales[g];
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto stored = static_cast<unsigned>(int4_value(values[i], inverse) - kInt4Least);
      auto& pair = packed[(g * size + i) / 2];
      pair = static_cast<std::uint8_t>(pair | stored << (i % 2 * 4));
    }
  }
}

}  // namespace weft::model
