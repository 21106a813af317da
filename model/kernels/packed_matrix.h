// PackedMatrix: a linear's weight as the CPU kernels read it, and its product with rows of activations. One copy serves
// one token and thousands, on every instruction set (layout and numerics: linear_kernels.h). Immutable once packed;
// multiply may be called from several threads at once, each with workers of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/base/expected.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/linear_kernels.h"
#include "model/kernels/workers.h"
#include "model/weights/quantized.h"

namespace weft::model {

struct MatrixShape {
  WeightFormat format = WeightFormat::kFloat32;
  std::int64_t rows = 0, columns = 0;  // output features, input features
  std::int64_t group = 0;              // int4: 32, 64 or 128
};

// Rows of fp32 somewhere in memory: row i begins at data + i * stride.
struct InputRows {
  const float* data = nullptr;
  std::int64_t rows = 0, stride = 0;
};
struct OutputRows {
  float* data = nullptr;
  std::int64_t stride = 0;
};

class PackedMatrix {
 public:
  PackedMatrix() = default;
  [[nodiscard]] const MatrixShape& shape() const { return shape_; }
  [[nodiscard]] std::size_t bytes() const { return panels_.bytes() + row_scales_.size() * sizeof(float); }

  // y[i] = W x[i] + bias: x [n, columns], y [n, rows], bias [rows] or empty. x and y do not overlap.
  void multiply(const Cpu& cpu, InputRows x, OutputRows y, std::span<const float> bias = {}) const;
  void multiply(const LinearKernels& kernels, Workers& workers, InputRows x, OutputRows y,
                std::span<const float> bias = {}) const;

  // One row's weights, [columns]: a tied embedding looks up where the output layer multiplies.
  void read_row(std::int64_t row, std::span<float> out) const;

 private:
  friend class MatrixPacker;
  [[nodiscard]] std::int64_t panels() const { return (shape_.rows + kPanelRows - 1) / kPanelRows; }
  [[nodiscard]] std::byte* panel(std::int64_t index) { return panels_.data() + index * panel_bytes_; }
  [[nodiscard]] const std::byte* panel(std::int64_t index) const { return panels_.data() + index * panel_bytes_; }

  MatrixShape shape_;
  std::int64_t padded_columns_ = 0;
  std::int64_t block_bytes_ = 0, panel_bytes_ = 0, scales_offset_ = 0;  // the offset: of int4's scales in a panel
  AlignedBuffer panels_;
  std::vector<float> row_scales_;  // int8
};

// Packs a weight as its rows come, in any order, so that it is never held twice. Weights that read the same input
// (queries, keys and values; gate and up) become one matrix, one below the other. Several threads may put rows of their
// own.
class MatrixPacker {
 public:
  // Refuses shapes that are empty or too large, and groups other than int4's three.
  static Expected<MatrixPacker> start(const MatrixShape& shape);

  // Rows from `first`, each put once: whole ones, of the shape's format, columns and group, within the matrix.
  Expected<void> put(std::int64_t first, const QuantizedMatrix& rows);
  Expected<void> put(std::int64_t first, std::span<const float> rows);  // float32; bfloat16, rounded to nearest even
  Expected<PackedMatrix> finish() &&;                                   // refuses a matrix that misses rows

 private:
  MatrixPacker() = default;
  [[nodiscard]] Expected<void> check_rows(std::int64_t first, std::int64_t rows) const;
  void count(std::int64_t rows);
  PackedMatrix matrix_;
  std::int64_t filled_ = 0;  // rows, by whatever thread
};

}  // namespace weft::model
