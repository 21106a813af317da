// The row kernels over a vector type V; see row_kernel.h. Included by a file an instruction set.
#pragma once

#include "model/kernels/row_kernel.h"
#include "model/kernels/vector_math.h"

namespace weft::model {

template <class V>
struct RowTile {
  using Float = typename V::Float;
  static constexpr std::int64_t kLanes = V::kLanes;

  // body(at, load, store) for every vector of a row; the last may be a part of one, whose other lanes load as zero.
  template <class Body>
  static inline __attribute__((always_inline)) void each(std::int64_t width, const Body& body) {
    const auto load = [](const float* p) { return V::load(p); };
    const auto store = [](float* p, Float a) { V::store(p, a); };
    std::int64_t at = 0;
    for (; at + kLanes <= width; at += kLanes) body(at, load, store);
    const std::int64_t rest = width - at;
    if (rest == 0) return;
    body(
        at, [=](const float* p) { return V::load_part(p, rest); },
        [=](float* p, Float a) { V::store_part(p, a, rest); });
  }

  static void add(float* x, const float* residual, std::int64_t width) {
    if (residual == nullptr) return;
    each(width,
         [&](std::int64_t at, auto load, auto store) { store(x + at, V::add(load(x + at), load(residual + at))); });
  }

  static void rms_norm(float* x, const float* residual, const float* weight, std::int64_t width, float eps,
                       float offset, float* out) {
    add(x, residual, width);
    Float squares = V::set(0.0F);
    each(width, [&](std::int64_t at, auto load, auto) { squares = V::fma(load(x + at), load(x + at), squares); });
    const Float mean = V::set(V::sum(squares) / static_cast<float>(width) + eps);
    const Float scale = V::div(V::set(1.0F), V::sqrt(mean)), shift = V::set(offset);
    each(width, [&](std::int64_t at, auto load, auto store) {
      store(out + at, V::mul(V::mul(load(x + at), scale), V::add(load(weight + at), shift)));
    });
  }

  static void layer_norm(float* x, const float* residual, const float* weight, const float* bias, std::int64_t width,
                         float eps, float* out) {
    add(x, residual, width);
    Float total = V::set(0.0F), squares = V::set(0.0F);
    each(width, [&](std::int64_t at, auto load, auto) { total = V::add(total, load(x + at)); });
    const float mean = V::sum(total) / static_cast<float>(width);
    // About the mean, since the difference of two large sums would lose what is small. The rest by itself, since lanes
    // that are not there would count as -mean.
    std::int64_t at = 0;
    for (; at + kLanes <= width; at += kLanes) {
      const Float off = V::sub(V::load(x + at), V::set(mean));
      squares = V::fma(off, off, squares);
    }
    float square = V::sum(squares);
    for (; at < width; ++at) square += (x[at] - mean) * (x[at] - mean);
    const Float variance = V::set(square / static_cast<float>(width) + eps);
    const Float scale = V::div(V::set(1.0F), V::sqrt(variance)), middle = V::set(mean);
    each(width, [&](std::int64_t i, auto load, auto store) {
      const Float value = V::mul(V::mul(V::sub(load(x + i), middle), scale), load(weight + i));
      store(out + i, bias == nullptr ? value : V::add(value, load(bias + i)));
    });
  }

  static void rotate(float* head, const float* cos, const float* sin, std::int64_t half) {
    each(half, [&](std::int64_t at, auto load, auto store) {
      const Float a = load(head + at), b = load(head + half + at), c = load(cos + at), s = load(sin + at);
      store(head + at, V::sub(V::mul(a, c), V::mul(b, s)));
      store(head + half + at, V::add(V::mul(b, c), V::mul(a, s)));
    });
  }

  static void silu(const float* x, const float* up, std::int64_t width, float* out) {
    each(width, [&](std::int64_t at, auto load, auto store) {
      const Float value = load(x + at), active = V::mul(value, sigmoid<V>(value));
      store(out + at, up == nullptr ? active : V::mul(active, load(up + at)));
    });
  }

  // x / 2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
  static void gelu_tanh(const float* x, const float* up, std::int64_t width, float* out) {
    each(width, [&](std::int64_t at, auto load, auto store) {
      const Float value = load(x + at), square = V::mul(value, value);
      const Float twice = V::mul(V::mul(value, V::set(1.59576912F)), V::fma(square, V::set(0.044715F), V::set(1.0F)));
      const Float active = V::mul(value, sigmoid<V>(twice));
      store(out + at, up == nullptr ? active : V::mul(active, load(up + at)));
    });
  }
};

}  // namespace weft::model
