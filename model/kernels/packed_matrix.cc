// Packing: where each weight goes. The layout is told in linear_kernels.h.
#include "model/kernels/packed_matrix.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "model/weights/half.h"

namespace weft::model {
namespace {

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

constexpr std::int64_t block_bytes(WeightFormat format) {
  constexpr std::int64_t kWeights = kPanelRows * kBlockColumns;
  switch (format) {
    case WeightFormat::kFloat32:
      return kWeights * 4;
    case WeightFormat::kBFloat16:
      return kWeights * 2;
    case WeightFormat::kInt8:
      return kWeights;
    case WeightFormat::kInt4:
      break;
  }
  return kWeights / 2;
}

// Where the weight of a panel's row at `column` lies, in entries of the format (int4: in bytes).
std::int64_t float_at(std::int64_t row, std::int64_t column) { return column * kPanelRows + row; }
std::int64_t bfloat16_at(std::int64_t row, std::int64_t column) {
  return (column / 2 * kPanelRows + row) * 2 + column % 2;
}
std::int64_t int8_at(std::int64_t row, std::int64_t column) { return (column / 4 * kPanelRows + row) * 4 + column % 4; }
std::int64_t int4_at(std::int64_t row, std::int64_t column) { return (column / 8 * kPanelRows + row) * 4 + column % 4; }
int int4_shift(std::int64_t column) { return static_cast<int>(column / 4 % 2 * 4); }

std::uint16_t* halves(std::byte* bytes) { return reinterpret_cast<std::uint16_t*>(bytes); }
const std::uint16_t* halves(const std::byte* bytes) { return reinterpret_cast<const std::uint16_t*>(bytes); }

// One row, into its places in a panel; what it lacks of a last four or eight stays as it is.
void pack_int8_row(std::span<const std::uint8_t> from, std::byte* panel, std::int64_t row) {
  const auto columns = static_cast<std::int64_t>(from.size());
  std::int64_t column = 0;
  for (; column + 4 <= columns; column += 4) std::memcpy(panel + int8_at(row, column), from.data() + column, 4);
  for (; column < columns; ++column) panel[int8_at(row, column)] = std::byte{from[static_cast<std::size_t>(column)]};
}

// `from` has two columns a byte, the panel those that are four apart.
void pack_int4_row(std::span<const std::uint8_t> from, std::int64_t columns, std::byte* panel, std::int64_t row) {
  std::int64_t column = 0;
  for (; column + 8 <= columns; column += 8) {
    const std::uint8_t* const pairs = from.data() + column / 2;
    for (int i = 0; i < 2; ++i) {
      std::byte* const to = panel + int4_at(row, column) + 2 * i;
      to[0] = static_cast<std::byte>((pairs[i] & 0xf) | (pairs[i + 2] & 0xf) << 4);
      to[1] = static_cast<std::byte>(pairs[i] >> 4 | (pairs[i + 2] & 0xf0));
    }
  }
  for (; column < columns; ++column) {
    const int value = from[static_cast<std::size_t>(column / 2)] >> (column % 2 * 4) & 0xf;
    std::byte& at = panel[int4_at(row, column)];
    at = (at & ~(std::byte{0xf} << int4_shift(column))) | static_cast<std::byte>(value << int4_shift(column));
  }
}

void pack_bfloat16_row(std::span<const float> from, std::byte* panel, std::int64_t row) {
  const auto columns = static_cast<std::int64_t>(from.size());
  for (std::int64_t column = 0; column < columns; ++column) {
    halves(panel)[bfloat16_at(row, column)] =
        static_cast<std::uint16_t>(to_bf16(from[static_cast<std::size_t>(column)]));
  }
}

}  // namespace

Expected<MatrixPacker> MatrixPacker::start(const MatrixShape& shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  if (shape.rows < 1 || shape.columns < 1 || shape.rows > kMost || shape.columns > kMost) {
    return make_error("cannot pack a matrix of {} x {}", shape.rows, shape.columns);
  }
  const bool int4 = shape.format == WeightFormat::kInt4;
  if (int4 && shape.group != 32 && shape.group != 64 && shape.group != 128) {
    return make_error("cannot pack int4 in groups of {}: 32, 64 and 128 are known", shape.group);
  }
  MatrixPacker packer;
  PackedMatrix& matrix = packer.matrix_;
  matrix.shape_ = shape;
  matrix.padded_columns_ = round_up(shape.columns, kBlockColumns);
  matrix.block_bytes_ = block_bytes(shape.format);
  matrix.scales_offset_ = matrix.padded_columns_ / kBlockColumns * matrix.block_bytes_;
  matrix.panel_bytes_ = matrix.scales_offset_;
  if (int4) {
    const std::int64_t groups = (matrix.padded_columns_ + shape.group - 1) / shape.group;
    matrix.panel_bytes_ += round_up(groups * kPanelRows * 2, 64);
  }
  matrix.panels_ = AlignedBuffer(static_cast<std::size_t>(matrix.panels() * matrix.panel_bytes_));
  if (shape.format == WeightFormat::kInt8) {
    matrix.row_scales_.assign(static_cast<std::size_t>(matrix.panels() * kPanelRows), 0.0F);
  }
  if (int4) {  // zero is stored as 8
    for (std::int64_t i = 0; i < matrix.panels(); ++i) {
      std::memset(matrix.panel(i), 0x88, static_cast<std::size_t>(matrix.scales_offset_));
    }
  }
  return packer;
}

Expected<void> MatrixPacker::check_rows(std::int64_t first, std::int64_t rows) const {
  const std::int64_t all = matrix_.shape_.rows;
  if (first >= 0 && first <= all && rows >= 0 && rows <= all - first) return {};
  return make_error("{} rows from {} do not fit a matrix of {}", rows, first, all);
}

void MatrixPacker::count(std::int64_t rows) { std::atomic_ref(filled_).fetch_add(rows, std::memory_order_relaxed); }

Expected<void> MatrixPacker::put(std::int64_t first, const QuantizedMatrix& rows) {
  const MatrixShape& shape = matrix_.shape_;
  const bool int4 = shape.format == WeightFormat::kInt4;
  if (rows.format != shape.format || rows.columns != shape.columns || (int4 && rows.group != shape.group)) {
    return make_error("rows of format {}, {} columns and group {} for a matrix of format {}, {} columns and group {}",
                      static_cast<int>(rows.format), rows.columns, rows.group, static_cast<int>(shape.format),
                      shape.columns, shape.group);
  }
  if (auto fits = check_rows(first, rows.rows); !fits) return fits;
  const std::int64_t groups = int4 ? (rows.columns + rows.group - 1) / rows.group : 1;
  const std::int64_t row_bytes = int4 ? (rows.columns + 1) / 2 : rows.columns;
  if (rows.values.size() != static_cast<std::size_t>(rows.rows * row_bytes) ||
      rows.scales.size() != static_cast<std::size_t>(rows.rows * groups)) {
    return make_error("{} quantised rows of {} columns with {} bytes of weights and {} scales", rows.rows, rows.columns,
                      rows.values.size(), rows.scales.size());
  }
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    std::byte* const panel = matrix_.panel((first + row) / kPanelRows);
    const std::int64_t at = (first + row) % kPanelRows;
    const float* const scales = rows.scales.data() + row * groups;
    const auto values = std::span(rows.values).subspan(static_cast<std::size_t>(row * row_bytes));
    if (int4) {
      pack_int4_row(values, rows.columns, panel, at);
      for (std::int64_t g = 0; g < groups; ++g) {
        const Half half = to_half(scales[g]);
        if (to_float(half) != scales[g]) {
          return make_error("the scale {} of row {}, group {} is no fp16 number", scales[g], first + row, g);
        }
        halves(panel + matrix_.scales_offset_)[g * kPanelRows + at] = static_cast<std::uint16_t>(half);
      }
    } else {
      pack_int8_row(values.first(static_cast<std::size_t>(row_bytes)), panel, at);
      matrix_.row_scales_[static_cast<std::size_t>(first + row)] = scales[0];
    }
  }
  count(rows.rows);
  return {};
}

Expected<void> MatrixPacker::put(std::int64_t first, std::span<const float> rows) {
  const WeightFormat format = matrix_.shape_.format;
  if (format != WeightFormat::kFloat32 && format != WeightFormat::kBFloat16) {
    return make_error("fp32 rows for a matrix of format {}", static_cast<int>(format));
  }
  const std::int64_t columns = matrix_.shape_.columns;
  const std::int64_t count_of_rows = static_cast<std::int64_t>(rows.size()) / columns;
  if (static_cast<std::int64_t>(rows.size()) % columns != 0) {
    return make_error("{} weights are no whole rows of {} columns", rows.size(), columns);
  }
  if (auto fits = check_rows(first, count_of_rows); !fits) return fits;
  for (std::int64_t row = 0; row < count_of_rows; ++row) {
    std::byte* const panel = matrix_.panel((first + row) / kPanelRows);
    const std::int64_t at = (first + row) % kPanelRows;
    const auto numbers = rows.subspan(static_cast<std::size_t>(row * columns), static_cast<std::size_t>(columns));
    if (format == WeightFormat::kBFloat16) {
      pack_bfloat16_row(numbers, panel, at);
      continue;
    }
    for (std::int64_t column = 0; column < columns; ++column) {
      reinterpret_cast<float*>(panel)[float_at(at, column)] = numbers[static_cast<std::size_t>(column)];
    }
  }
  count(count_of_rows);
  return {};
}

Expected<PackedMatrix> MatrixPacker::finish() && {
  if (filled_ != matrix_.shape_.rows) {
    return make_error("a matrix of {} rows has only {}", matrix_.shape_.rows, filled_);
  }
  return std::move(matrix_);
}

void PackedMatrix::read_row(std::int64_t row, std::span<float> out) const {
  WEFT_CHECK(row >= 0 && row < shape_.rows && static_cast<std::int64_t>(out.size()) == shape_.columns);
  const std::byte* const data = panel(row / kPanelRows);
  const std::int64_t at = row % kPanelRows;
  for (std::int64_t column = 0; column < shape_.columns; ++column) {
    float& value = out[static_cast<std::size_t>(column)];
    switch (shape_.format) {
      case WeightFormat::kFloat32:
        value = reinterpret_cast<const float*>(data)[float_at(at, column)];
        break;
      case WeightFormat::kBFloat16:
        value = to_float(static_cast<Bf16>(halves(data)[bfloat16_at(at, column)]));
        break;
      case WeightFormat::kInt8: {
        const auto q = static_cast<std::int8_t>(data[int8_at(at, column)]);
        value = static_cast<float>(q) * row_scales_[static_cast<std::size_t>(row)];
        break;
      }
      case WeightFormat::kInt4: {
        const int q = static_cast<int>(data[int4_at(at, column)] >> int4_shift(column) & std::byte{0xf}) - 8;
        const std::uint16_t scale = halves(data + scales_offset_)[column / shape_.group * kPanelRows + at];
        value = static_cast<float>(q) * to_float(static_cast<Half>(scale));
        break;
      }
    }
  }
}

}  // namespace weft::model
