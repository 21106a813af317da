// The gradients of row_kernel.h over a vector type V, and all its kernels together. Included by a file an instruction
// set.
#pragma once

#include <cmath>

#include "model/kernels/row_tile.h"

namespace weft::model {

template <class V>
struct GradientTile {
  using Float = typename V::Float;
  static constexpr std::int64_t kLanes = V::kLanes;

  // With n = x / r, r = sqrt(mean(x^2) + eps), and g = dy (weight + offset): dx = (g - n mean(g n)) / r.
  static void rms_norm(const float* x, const float* weight, const float* dy, std::int64_t width, float eps,
                       float offset, float* dx, float* dweight) {
    const Float shift = V::set(offset);
    Float squares = V::set(0.0F), along = V::set(0.0F);
    RowTile<V>::each(width, [&](std::int64_t at, auto load, auto) {
      const Float value = load(x + at), g = V::mul(load(dy + at), V::add(load(weight + at), shift));
      squares = V::fma(value, value, squares);
      along = V::fma(g, value, along);
    });
    const auto count = static_cast<float>(width);
    const float inverse = 1.0F / std::sqrt(V::sum(squares) / count + eps);
    const Float scale = V::set(inverse), back = V::set(-V::sum(along) / count * inverse * inverse * inverse);
    RowTile<V>::each(width, [&](std::int64_t at, auto load, auto store) {
      const Float value = load(x + at), up = load(dy + at);
      const Float g = V::mul(up, V::add(load(weight + at), shift));
      if (dweight != nullptr) store(dweight + at, V::fma(V::mul(value, scale), up, load(dweight + at)));
      store(dx + at, V::fma(value, back, V::mul(g, scale)));
    });
  }

  static void silu(const float* x, const float* up, const float* dy, std::int64_t width, float* dx, float* dup) {
    const Float one = V::set(1.0F);
    RowTile<V>::each(width, [&](std::int64_t at, auto load, auto store) {
      const Float value = load(x + at), s = sigmoid<V>(value), active = V::mul(value, s), g = load(dy + at);
      const Float slope = V::fma(active, V::sub(one, s), s);
      store(dup + at, V::mul(g, active));
      store(dx + at, V::mul(V::mul(g, load(up + at)), slope));
    });
  }

  static float cross_entropy(float* scores, std::int64_t width, std::int64_t target, float weight) {
    constexpr float kLog2E = 1.44269504F;
    const std::int64_t whole = width - width % kLanes;
    Float most = V::set(scores[0]);
    for (std::int64_t at = 0; at < whole; at += kLanes) most = V::max(most, V::load(scores + at));
    float largest = V::largest(most);
    for (std::int64_t at = whole; at < width; ++at) largest = scores[at] > largest ? scores[at] : largest;
    const float own = scores[target];
    const Float top = V::set(largest), factor = V::set(kLog2E);
    Float sum = V::set(0.0F);
    RowTile<V>::each(whole, [&](std::int64_t at, auto load, auto store) {
      const Float power = exp2<V>(V::mul(V::sub(load(scores + at), top), factor));
      sum = V::add(sum, power);
      store(scores + at, power);
    });
    float total = V::sum(sum);
    for (std::int64_t at = whole; at < width; ++at) {
      scores[at] = std::exp(scores[at] - largest);
      total += scores[at];
    }
    const Float share = V::set(weight / total);
    RowTile<V>::each(
        width, [&](std::int64_t at, auto load, auto store) { store(scores + at, V::mul(load(scores + at), share)); });
    scores[target] -= weight;
    return weight * (std::log(total) + largest - own);
  }
};

// All of a vector type.
template <class V>
constexpr RowKernels row_kernels_of() {
  using Row = RowTile<V>;
  using Gradient = GradientTile<V>;
  return {
      .rms_norm = Row::rms_norm,
      .layer_norm = Row::layer_norm,
      .rotate = Row::rotate,
      .silu = Row::silu,
      .gelu_tanh = Row::gelu_tanh,
      .gradients = {.rms_norm = Gradient::rms_norm, .silu = Gradient::silu, .cross_entropy = Gradient::cross_entropy}};
}

}  // namespace weft::model
