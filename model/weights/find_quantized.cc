#include "model/weights/find_quantized.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "model/base/check.h"
#include "model/base/mmap.h"
#include "model/weights/checkpoint.h"
#include "model/weights/finite.h"

namespace weft::model {
namespace {

constexpr std::array<std::int64_t, 3> kGroups{32, 64, 128};

constexpr std::string_view kWeight = ".weight";
// Modules whose weights are matrices but no linears, or ones that cost little and err much.
constexpr std::array<std::string_view, 7> kNoLinears{
    ".embed_tokens", ".wte", ".wpe", "shared", ".relative_attention_bias", ".mlp.gate", ".embed_in"};

std::int64_t groups_of(std::int64_t columns, std::int64_t group) { return (columns + group - 1) / group; }

constexpr std::int64_t kStripRows = 64;  // read at once: few calls, and little memory beside the result

// The linear's own matrix, [out, in]: as it is stored where Hugging Face has it the other way.
TensorView as_linear(TensorView view) { return view.transposed ? transpose(std::move(view)) : view; }

QuantizedMatrix empty_matrix(const QuantizedFormat& format, std::int64_t rows, std::int64_t columns) {
  const bool int8 = format.format == WeightFormat::kInt8;
  QuantizedMatrix out{.format = format.format,
                      .rows = rows,
                      .columns = columns,
                      .group = int8 ? 0 : format.group,
                      .values = {},
                      .scales = {}};
  out.values.resize(static_cast<std::size_t>(rows * (int8 ? columns : (columns + 1) / 2)));
  out.scales.resize(static_cast<std::size_t>(rows * (int8 ? 1 : groups_of(columns, format.group))));
  return out;
}

Expected<void> check_slice(const TensorSlice& slice, std::int64_t rows, std::int64_t columns, std::int64_t group) {
  const auto within = [](std::int64_t begin, std::int64_t count, std::int64_t size) {
    return begin >= 0 && count >= 0 && begin <= size && count <= size - begin;
  };
  if (!within(slice.row, slice.rows, rows) || !within(slice.column, slice.columns, columns)) {
    return make_error("is [{}, {}], asked for {} rows from {} and {} columns from {}", rows, columns, slice.rows,
                      slice.row, slice.columns, slice.column);
  }
  const std::int64_t end = slice.column + slice.columns;
  if (slice.column % group == 0 && (end % group == 0 || end == columns)) return {};
  return make_error("has groups of {} columns, columns {} to {} do not begin and end at theirs", group, slice.column,
                    end);
}

template <class T>
T value_at(std::span<const std::byte> data, std::int64_t index) {
  T out{};
  std::memcpy(&out, data.data() + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return out;
}

void copy_bytes(std::span<const std::byte> data, std::int64_t begin, std::int64_t count, std::uint8_t* out) {
  if (count > 0) std::memcpy(out, data.data() + begin, static_cast<std::size_t>(count));
}

// Of weft's own tensors, whose scales stand beside them.
Expected<QuantizedMatrix> read_int8(const TensorView& weight, const TensorView& scale, const TensorSlice& slice) {
  const std::int64_t rows = weight.shape[0], columns = weight.shape[1];
  if (auto fits = check_slice(slice, rows, columns, 1); !fits) return fits.error();
  if (scale.dtype != Dtype::kF32 || scale.shape != std::vector<std::int64_t>{rows}) {
    return make_error("has scales {} [{}], expected F32 [{}]", dtype_name(scale.dtype), fmt::join(scale.shape, ", "),
                      rows);
  }
  QuantizedMatrix out = empty_matrix({WeightFormat::kInt8, 0}, slice.rows, slice.columns);
  for (std::int64_t i = 0; i < slice.rows; ++i) {
    const std::int64_t row = slice.row + i;
    copy_bytes(weight.data, row * columns + slice.column, slice.columns, out.values.data() + i * slice.columns);
    out.scales[static_cast<std::size_t>(i)] = value_at<float>(scale.data, row);
  }
  return out;
}

// `in` is even: weft quantises no other matrix.
Expected<QuantizedMatrix> read_int4(const TensorView& weight, const TensorView& scale, const TensorSlice& slice) {
  const std::int64_t rows = weight.shape[0], columns = weight.shape[1] * 2;
  const bool scales_fit = scale.dtype == Dtype::kF16 && scale.shape.size() == 2 && scale.shape[0] == rows;
  const auto group = std::ranges::find_if(
      kGroups, [&](std::int64_t each) { return scales_fit && groups_of(columns, each) == scale.shape[1]; });
  if (group == kGroups.end()) {
    return make_error("has scales {} [{}], expected F16 [{}, groups of 32, 64 or 128 of {} columns]",
                      dtype_name(scale.dtype), fmt::join(scale.shape, ", "), rows, columns);
  }
  if (auto fits = check_slice(slice, rows, columns, *group); !fits) return fits.error();
  QuantizedMatrix out = empty_matrix({WeightFormat::kInt4, *group}, slice.rows, slice.columns);
  const std::int64_t row_bytes = slice.columns / 2, groups = groups_of(slice.columns, *group);
  for (std::int64_t i = 0; i < slice.rows; ++i) {
    const std::int64_t row = slice.row + i;
    copy_bytes(weight.data, (row * columns + slice.column) / 2, row_bytes, out.values.data() + i * row_bytes);
    for (std::int64_t g = 0; g < groups; ++g) {
      const auto bits = value_at<std::uint16_t>(scale.data, row * scale.shape[1] + slice.column / *group + g);
      out.scales[static_cast<std::size_t>(i * groups + g)] = to_float(static_cast<Half>(bits));
    }
  }
  return out;
}

// GGUF's Q4_0 is the same as int4 in groups of 32 but for the order: value i of a block is in the lower half of byte i,
// value i + 16 in its upper half.
Expected<QuantizedMatrix> read_q4_0(const TensorView& weight, const TensorSlice& slice) {
  constexpr std::int64_t kGroup = 32, kBytes = 18, kScaleBytes = 2;
  const std::int64_t blocks = weight.shape[1] / kGroup;
  if (auto fits = check_slice(slice, weight.shape[0], weight.shape[1], kGroup); !fits) return fits.error();
  QuantizedMatrix out = empty_matrix({WeightFormat::kInt4, kGroup}, slice.rows, slice.columns);
  std::uint8_t* values = out.values.data();
  float* scales = out.scales.data();
  for (std::int64_t i = 0; i < slice.rows; ++i) {
    const std::int64_t first = stored_row(weight, slice.row + i) * blocks + slice.column / kGroup;
    for (std::int64_t block = first; block < first + slice.columns / kGroup; ++block) {
      const auto bytes = weight.data.subspan(static_cast<std::size_t>(block * kBytes), kBytes);
      *scales++ = to_float(static_cast<Half>(value_at<std::uint16_t>(bytes, 0)));
      for (std::int64_t j = 0; j < kGroup; j += 2) {
        const bool upper = j >= kGroup / 2;
        const auto at = [&](std::int64_t k) {
          const auto pair = value_at<std::uint8_t>(bytes, kScaleBytes + k % (kGroup / 2));
          return upper ? pair >> 4 : pair & 15;
        };
        *values++ = static_cast<std::uint8_t>(at(j) | at(j + 1) << 4);
      }
    }
  }
  return out;
}

// One with something in it: an empty one may have any number of rows.
bool is_matrix(const TensorView& view) { return view.shape.size() == 2 && !view.data.empty(); }

}  // namespace

bool is_linear_weight(std::string_view name, const std::vector<std::int64_t>& shape) {
  if (shape.size() != 2 || !name.ends_with(kWeight)) return false;
  const std::string_view module = name.substr(0, name.size() - kWeight.size());
  return std::ranges::none_of(kNoLinears, [&](std::string_view ending) { return module.ends_with(ending); });
}

bool is_head_weight(std::string_view name) { return name == "lm_head.weight"; }

std::string scale_name(std::string_view weight) { return fmt::format("{}_scale", weight); }

QuantizedMatrix quantize_rows(std::span<const float> rows, std::int64_t columns, const QuantizedFormat& format) {
  QuantizedMatrix out = empty_matrix(format, static_cast<std::int64_t>(rows.size()) / columns, columns);
  const auto width = static_cast<std::size_t>(columns), count = static_cast<std::size_t>(out.rows);
  const std::size_t row_bytes = out.values.size() / count, row_scales = out.scales.size() / count;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = rows.subspan(i * width, width);
    const auto values = std::span(out.values).subspan(i * row_bytes, row_bytes);
    const auto scales = std::span(out.scales).subspan(i * row_scales, row_scales);
    if (format.format == WeightFormat::kInt8) {
      scales[0] = quantize_int8_row(row, {reinterpret_cast<std::int8_t*>(values.data()), width});
    } else {
      quantize_int4_row(row, format.group, values, scales);
    }
  }
  return out;
}

Expected<QuantizedMatrix> quantize(const TensorView& view, const QuantizedFormat& format, const TensorSlice& slice) {
  WEFT_CHECK(format.format == WeightFormat::kInt8 || format.format == WeightFormat::kInt4);
  if (!is_matrix(view)) return make_error("has shape [{}], expected a matrix", fmt::join(view.shape, ", "));
  if (auto fits = check_slice(slice, view.shape[0], view.shape[1], 1); !fits) return fits.error();
  QuantizedMatrix out = empty_matrix(format, slice.rows, slice.columns);
  auto values = out.values.begin();
  auto scales = out.scales.begin();
  std::vector<float> strip;
  for (std::int64_t done = 0; done < slice.rows && slice.columns > 0; done += kStripRows) {
    const TensorSlice part{slice.row + done, std::min(kStripRows, slice.rows - done), slice.column, slice.columns};
    strip.resize(static_cast<std::size_t>(part.rows * part.columns));
    if (auto read = read_slice(view, part, strip.data(), slice.columns); !read) return read.error();
    if (const auto bad = first_not_finite(std::span<const float>(strip))) {
      return make_error("row {} holds a value that is not finite",
                        part.row + static_cast<std::int64_t>(*bad) / part.columns);
    }
    const QuantizedMatrix rounded = quantize_rows(strip, part.columns, format);
    values = std::ranges::copy(rounded.values, values).out;
    scales = std::ranges::copy(rounded.scales, scales).out;
  }
  return out;
}

void dequantize_row(const QuantizedMatrix& matrix, std::int64_t row, std::span<float> out) {
  const auto columns = static_cast<std::size_t>(matrix.columns), at = static_cast<std::size_t>(row);
  WEFT_CHECK(row >= 0 && row < matrix.rows && out.size() == columns);
  if (matrix.format == WeightFormat::kInt8) {
    for (std::size_t j = 0; j < columns; ++j) {
      out[j] = static_cast<float>(static_cast<std::int8_t>(matrix.values[at * columns + j])) * matrix.scales[at];
    }
    return;
  }
  const auto group = static_cast<std::size_t>(matrix.group), groups = (columns + group - 1) / group;
  for (std::size_t j = 0; j < columns; ++j) {
    const int pair = matrix.values[at * ((columns + 1) / 2) + j / 2];
    out[j] = static_cast<float>((j % 2 == 0 ? pair & 15 : pair >> 4) - 8) * matrix.scales[at * groups + j / group];
  }
}

bool Checkpoint::is_quantized(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end() || !is_matrix(found->second)) return false;
  const Dtype dtype = found->second.dtype;
  if (dtype == Dtype::kI8 || dtype == Dtype::kU8) return tensors_.contains(scale_name(name));
  return dtype == Dtype::kQ4_0 || dtype == Dtype::kQ8_0;
}

Expected<QuantizedMatrix> Checkpoint::find_quantized(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end() || !is_quantized(name)) return find_quantized(name, {});
  TensorSlice all = whole(as_linear(found->second));
  if (found->second.dtype == Dtype::kU8) all.columns *= 2;
  return find_quantized(name, all);
}

Expected<QuantizedMatrix> Checkpoint::find_quantized(std::string_view name, const TensorSlice& slice) const {
  auto view = find(name);
  if (!view) return view.error();
  if (!is_quantized(name)) {
    return make_error("weight {} is {} [{}], not quantised", name, dtype_name(view->dtype),
                      fmt::join(view->shape, ", "));
  }
  const TensorView linear = as_linear(*std::move(view));
  const auto read = [&]() -> Expected<QuantizedMatrix> {
    if (linear.dtype == Dtype::kQ4_0) return read_q4_0(linear, slice);
    if (linear.dtype == Dtype::kQ8_0) return quantize(linear, {WeightFormat::kInt8, 0}, slice);
    const TensorView& scale = tensors_.find(scale_name(name))->second;
    return linear.dtype == Dtype::kI8 ? read_int8(linear, scale, slice) : read_int4(linear, scale, slice);
  };
  auto matrix = read();
  if (!matrix) return make_error("weight {} {}", name, matrix.error().message);
  if (linear.file != nullptr) {  // the slice's rows alone: other threads may be at others
    const auto row_bytes = static_cast<std::int64_t>(linear.data.size()) / linear.shape[0];
    give_back(linear.data.subspan(static_cast<std::size_t>(slice.row * row_bytes),
                                  static_cast<std::size_t>(slice.rows * row_bytes)));
  }
  if (const auto bad = first_not_finite(std::span<const float>(matrix->scales))) {
    const std::int64_t row = static_cast<std::int64_t>(*bad) * matrix->rows / std::ssize(matrix->scales);
    return make_error("weight {} has a scale that is not finite: {} in row {}", name, matrix->scales[*bad],
                      slice.row + row);
  }
  return matrix;
}

}  // namespace weft::model
