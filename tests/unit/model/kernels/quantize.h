// Weights and activations for tests of the kernels: random, and quantised here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "model/kernels/packed_matrix.h"

namespace weft::model {

inline std::vector<float> random_floats(std::size_t count, unsigned seed, float spread = 1.0F) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> out(count);
  for (float& value : out) value = normal(engine);
  return out;
}

// Random integers of the format's whole range, and scales that fp16 holds.
inline QuantizedMatrix random_quantized(const MatrixShape& shape, unsigned seed) {
  std::mt19937 engine(seed);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  const bool int4 = shape.format == WeightFormat::kInt4;
  QuantizedMatrix out{.format = shape.format,
                      .rows = shape.rows,
                      .columns = shape.columns,
                      .group = shape.group,
                      .values = {},
                      .scales = {}};
  const std::int64_t row_bytes = int4 ? (shape.columns + 1) / 2 : shape.columns;
  const std::int64_t groups = int4 ? (shape.columns + shape.group - 1) / shape.group : 1;
  for (std::int64_t i = 0; i < shape.rows * row_bytes; ++i) {
    const int value = int4 ? pick(0, 255) : pick(-127, 127);
    out.values.push_back(static_cast<std::uint8_t>(value));
  }
  for (std::int64_t i = 0; i < shape.rows * groups; ++i) {
    out.scales.push_back(std::ldexp(static_cast<float>(pick(1024, 2047)), -18));
  }
  return out;
}

inline PackedMatrix pack(const MatrixShape& shape, unsigned seed) {
  MatrixPacker packer = *MatrixPacker::start(shape);
  if (shape.format == WeightFormat::kInt8 || shape.format == WeightFormat::kInt4) {
    WEFT_CHECK(packer.put(0, random_quantized(shape, seed)).has_value());
  } else {
    WEFT_CHECK(packer.put(0, random_floats(static_cast<std::size_t>(shape.rows * shape.columns), seed)).has_value());
  }
  return *std::move(packer).finish();
}

// [rows of x, rows of the matrix]
inline std::vector<float> multiply(const PackedMatrix& matrix, const LinearKernels& kernels, Workers& workers,
                                   const std::vector<float>& x, std::span<const float> bias = {}) {
  const MatrixShape& shape = matrix.shape();
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / shape.columns;
  std::vector<float> y(static_cast<std::size_t>(rows * shape.rows), -7.0F);
  matrix.multiply(kernels, workers, {.data = x.data(), .rows = rows, .stride = shape.columns},
                  {.data = y.data(), .stride = shape.rows}, bias);
  return y;
}

}  // namespace weft::model
