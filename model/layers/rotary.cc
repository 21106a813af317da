#include "model/layers/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/base/check.h"
#include "model/kernels/fused_ops.h"
#include "model/layers/gradients.h"

namespace weft::model {
namespace {

using Scaling = RotaryConfig::Scaling;

// Llama 3: waves that fit the trained context stay, those longer than it are stretched, those between are mixed.
at::Tensor stretched_as_llama3(const at::Tensor& inverse, const RotaryConfig& c) {
  const double longest = c.original_positions / c.low_frequency_factor;
  const double shortest = c.original_positions / c.high_frequency_factor;
  const at::Tensor wave = 2 * std::numbers::pi / inverse;
  const at::Tensor mixed = at::where(wave > longest, inverse / c.factor, inverse);
  const at::Tensor smooth =
      (c.original_positions / wave - c.low_frequency_factor) / (c.high_frequency_factor - c.low_frequency_factor);
  const at::Tensor between = (1 - smooth) * mixed / c.factor + smooth * mixed;
  return at::where((wave < shortest).logical_or(wave > longest), mixed, between);
}

// The feature whose wave turns so many times in the trained context.
double feature_of_turns(double turns, const RotaryConfig& c) {
  return c.dim * std::log(c.original_positions / (turns * 2 * std::numbers::pi)) / (2 * std::log(c.theta));
}

// YaRN (Peng et al. 2023): the fast features stay, the slow ones are stretched, and a ramp leads from one to the other.
at::Tensor stretched_as_yarn(const at::Tensor& inverse, const RotaryConfig& c) {
  double low = feature_of_turns(c.beta_fast, c), high = feature_of_turns(c.beta_slow, c);
  if (c.truncated) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, c.dim - 1.0);
  if (low == high) high += 0.001;
  const at::Tensor ramp = ((at::arange(c.dim / 2, at::kFloat) - low) / (high - low)).clamp(0, 1);
  return inverse / c.factor * ramp + inverse * (1 - ramp);
}

at::Tensor inverse_frequencies(const RotaryConfig& c) {
  const at::Tensor exponents = at::arange(0, c.dim, 2, at::kFloat) / static_cast<double>(c.dim);
  const at::Tensor inverse = at::pow(c.theta, exponents).reciprocal();
  switch (c.scaling) {
    case Scaling::kNone:
      return inverse;
    case Scaling::kLinear:
      return inverse / c.factor;
    case Scaling::kLlama3:
      return stretched_as_llama3(inverse, c);
    case Scaling::kYarn:
      return stretched_as_yarn(inverse, c);
  }
  return inverse;
}

at::Tensor rotated_in_place(const Cpu& cpu, const at::Tensor& x, const RotaryAngles& angles) {
  const std::int64_t heads = x.size(1), head_dim = x.size(2), rotated = angles.cos.size(-1);
  WEFT_CHECK(x.stride(2) == 1 && x.stride(1) == head_dim);
  rotate_heads(cpu, {x.mutable_data_ptr<float>(), x.size(0), heads * head_dim, x.stride(0)}, {heads, head_dim, rotated},
               {angles.cos.const_data_ptr<float>(), rotated}, {angles.sin.const_data_ptr<float>(), rotated});
  return x;
}

}  // namespace

Rotary::Rotary(const RotaryConfig& config)
    : inverse_frequencies_(inverse_frequencies(config)), attention_factor_(config.attention_factor) {}

RotaryAngles Rotary::angles(const at::Tensor& positions, at::ScalarType dtype) const {
  const at::Tensor half = at::outer(positions.to(at::kFloat), inverse_frequencies_.to(positions.device()));
  const at::Tensor full = at::cat({half, half}, -1).unsqueeze(1);
  return {(full.cos() * attention_factor_).to(dtype), (full.sin() * attention_factor_).to(dtype)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryAngles& angles, const Cpu* cpu) {
  if (cpu != nullptr) return rotated_in_place(*cpu, x, angles);
  const std::int64_t rotated = angles.cos.size(-1), half = rotated / 2;
  if (rotated == x.size(-1) && has_own_gradient(x)) return rotate_heads(x, angles.cos, angles.sin);
  const at::Tensor turning = x.narrow(-1, 0, rotated);
  const at::Tensor turned = at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
  const at::Tensor out = turning * angles.cos + turned * angles.sin;
  return rotated == x.size(-1) ? out : at::cat({out, x.narrow(-1, rotated, x.size(-1) - rotated)}, -1);
}

}  // namespace weft::model
