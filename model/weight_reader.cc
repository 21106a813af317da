#include "model/weight_reader.h"

#include <ATen/ops/zeros.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "model/tensor_file.h"
#include "model/weights/find_quantized.h"
#include "model/weights/finite.h"

namespace weft::model {
namespace {

constexpr std::int64_t kStripRows = 64;  // read at once while packing

// A weight as it stands in the checkpoint, and the rank's rectangle of it, [out, in] whatever the file has.
class Source {
 public:
  static Expected<Source> find(const Checkpoint& checkpoint, const WeightSpec& spec, const ShardSlice& slice) {
    auto name = stored_name(checkpoint, spec.tensor);
    if (!name) return name.error();
    auto view = checkpoint.find(*name);
    if (!view) return view.error();
    Source out(checkpoint, *std::move(name), *std::move(view), spec.transposed);
    out.quantized_ = checkpoint.is_quantized(out.name_);
    // Of what is quantised the file's own shape is another; reading it checks that.
    if (!out.quantized_ && out.view_.shape != spec.stored_shape()) {
      return make_error("weight {} has shape [{}], config.json asks for [{}]", spec.tensor,
                        fmt::join(out.view_.shape, ", "), fmt::join(spec.stored_shape(), ", "));
    }
    if (!out.quantized_ && !traits(out.view_.dtype).is_number) {
      return make_error("weight {} is of dtype {}, not a floating-point one", spec.tensor, dtype_name(out.view_.dtype));
    }
    const std::int64_t columns = spec.shape.size() > 1 ? spec.shape[1] : 1;
    const bool by_rows = slice.dimension == 0;
    out.slice_ = {spec.first_row + (by_rows ? slice.begin : 0), by_rows ? slice.length : spec.shape[0],
                  by_rows ? 0 : slice.begin, by_rows ? columns : slice.length};
    out.vector_ = spec.shape.size() == 1;
    return out;
  }

  [[nodiscard]] bool quantized() const { return quantized_; }
  [[nodiscard]] const TensorSlice& slice() const { return slice_; }
  [[nodiscard]] const TensorView& view() const { return view_; }

  [[nodiscard]] TensorSlice strip(std::int64_t begin, std::int64_t rows) const {
    return {slice_.row + begin, rows, slice_.column, slice_.columns};
  }
  [[nodiscard]] Expected<QuantizedMatrix> quantized_rows(std::int64_t begin, std::int64_t rows) const {
    return named(checkpoint_->find_quantized(name_, strip(begin, rows)));
  }
  // To out[i * stride + j], all of them finite.
  [[nodiscard]] Expected<void> numbers(std::int64_t begin, std::int64_t rows, float* out, std::int64_t stride) const {
    const auto columns = static_cast<std::size_t>(slice_.columns);
    if (quantized_) {  // its scales are finite
      const auto matrix = quantized_rows(begin, rows);
      if (!matrix) return matrix.error();
      for (std::int64_t row = 0; row < rows; ++row) dequantize_row(*matrix, row, {out + row * stride, columns});
      return {};
    }
    const TensorView linear = transposed_ ? transpose(view_) : view_;
    if (auto read = named(read_slice(linear, strip(begin, rows), out, stride)); !read) return read;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (auto finite = check_finite(std::span<const float>(out + row * stride, columns), begin + row); !finite) {
        return finite;
      }
    }
    return {};
  }
  // Whole rows of the slice, from its row `begin` on.
  template <class T>
  [[nodiscard]] Expected<void> check_finite(std::span<const T> numbers, std::int64_t begin) const {
    const auto bad = first_not_finite(numbers);
    if (!bad) return {};
    const auto at = static_cast<std::int64_t>(*bad);
    std::int64_t row = slice_.row + begin + at / slice_.columns, column = slice_.column + at % slice_.columns;
    if (transposed_) std::swap(row, column);
    const std::string place = vector_ ? fmt::format("{}", row) : fmt::format("{}, {}", row, column);
    return make_error("weight {} holds {} at [{}]", name_, to_number(numbers[*bad]), place);
  }
  // All columns of the same rows.
  [[nodiscard]] Source of_whole_rows(const WeightSpec& spec) const {
    Source out = *this;
    out.slice_.column = 0;
    out.slice_.columns = spec.shape.back();
    return out;
  }

 private:
  static float to_number(float value) { return value; }
  static float to_number(Bf16 value) { return to_float(value); }
  Source(const Checkpoint& checkpoint, std::string name, TensorView view, bool transposed)
      : checkpoint_(&checkpoint), name_(std::move(name)), view_(std::move(view)), transposed_(transposed) {}
  template <class T>
  Expected<T> named(Expected<T> result) const {
    if (!result) return make_error("weight {} {}", name_, result.error().message);
    return result;
  }

  const Checkpoint* checkpoint_;
  std::string name_;
  TensorView view_;
  bool transposed_, quantized_ = false, vector_ = false;
  TensorSlice slice_;
};

Expected<MatrixFormat> stored_format(const Source& source) {
  if (source.quantized()) {
    const auto row = source.quantized_rows(0, 1);
    if (!row) return row.error();
    return MatrixFormat{row->format, row->group};
  }
  switch (source.view().dtype) {
    case Dtype::kF32:
      return MatrixFormat{WeightFormat::kFloat32, 0};
    case Dtype::kBf16:
    case Dtype::kF16:
      return MatrixFormat{WeightFormat::kBFloat16, 0};
    default:
      return MatrixFormat{WeightFormat::kInt8, 0};
  }
}

QuantizedMatrix columns_of(QuantizedMatrix int8, std::int64_t begin, std::int64_t count) {
  if (count == int8.columns) return int8;
  QuantizedMatrix out{int8.format, int8.rows, count, 0, {}, std::move(int8.scales)};
  for (std::int64_t row = 0; row < int8.rows; ++row) {
    const auto from = int8.values.begin() + row * int8.columns + begin;
    out.values.insert(out.values.end(), from, from + count);
  }
  return out;
}

// int8 has one scale a row: it is the whole row's on every rank, so that ranks have the numbers that one process has.
Expected<void> add_part(MatrixPacker& packer, const WeightSpec& spec, const Source& part, const MatrixFormat& format) {
  const Source source = format.format == WeightFormat::kInt8 ? part.of_whole_rows(spec) : part;
  const auto stored = stored_format(source);
  if (!stored) return stored.error();
  const bool as_it_is = source.quantized() && stored->format == format.format &&
                        (format.format == WeightFormat::kInt8 || stored->group == format.group);
  const std::int64_t rows = source.slice().rows, columns = source.slice().columns;
  std::vector<float> strip(static_cast<std::size_t>(kStripRows * columns));
  const auto rounded = [&](std::int64_t begin, std::int64_t count) -> Expected<QuantizedMatrix> {
    if (as_it_is) return source.quantized_rows(begin, count);
    const std::span<float> numbers(strip.data(), static_cast<std::size_t>(count * columns));
    if (auto read = source.numbers(begin, count, numbers.data(), columns); !read) return read.error();
    return quantize_rows(numbers, columns, {format.format, format.group});
  };
  for (std::int64_t row = 0; row < rows; row += kStripRows) {
    const std::int64_t count = std::min(kStripRows, rows - row);
    if (is_quantized(format.format)) {
      auto matrix = rounded(row, count);
      if (!matrix) return matrix.error();
      const std::int64_t first = part.slice().column - source.slice().column;
      if (auto added = packer.add(columns_of(*std::move(matrix), first, part.slice().columns)); !added) return added;
      continue;
    }
    const std::span<float> numbers(strip.data(), static_cast<std::size_t>(count * columns));
    if (auto read = source.numbers(row, count, numbers.data(), columns); !read) return read;
    if (auto added = packer.add(numbers); !added) return added;
  }
  return {};
}

ShardSlice whole_slice(const WeightSpec& spec) { return {.dimension = 0, .begin = 0, .length = spec.shape.front()}; }

}  // namespace

Expected<std::string> stored_name(const Checkpoint& checkpoint, const std::string& tensor) {
  const auto view = checkpoint.find(tensor);
  if (view) return tensor;
  const std::size_t point = tensor.find('.');
  const bool has_body = tensor.starts_with("transformer.") || tensor.starts_with("model.");
  if (has_body && checkpoint.find(std::string_view(tensor).substr(point + 1))) return tensor.substr(point + 1);
  return view.error();
}

Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, const ShardSlice& slice,
                                 at::ScalarType dtype) {
  const auto source = Source::find(checkpoint, spec, slice);
  if (!source) return source.error();
  if (!source->quantized() && !spec.transposed) {
    auto tensor = to_tensor(source->view(), spec.stored(slice), dtype);
    if (!tensor) return make_error("weight {} {}", spec.tensor, tensor.error().message);
    const auto values = static_cast<std::size_t>(tensor->numel());
    const auto finite =
        dtype == at::kFloat
            ? source->check_finite(std::span(tensor->const_data_ptr<float>(), values), 0)
            : source->check_finite(std::span(static_cast<const Bf16*>(tensor->const_data_ptr()), values), 0);
    if (!finite) return finite.error();
    return tensor;
  }
  std::vector<std::int64_t> shape = spec.shape;
  shape[static_cast<std::size_t>(slice.dimension)] = slice.padded_length();
  at::Tensor out = at::zeros(shape, at::kFloat);
  const std::int64_t stride = shape.size() > 1 ? shape[1] : 1;
  const auto read = source->numbers(0, source->slice().rows, out.mutable_data_ptr<float>(), stride);
  if (!read) return read.error();
  return out.to(dtype);
}

Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, at::ScalarType dtype) {
  return read_weight(checkpoint, spec, whole_slice(spec), dtype);
}

Expected<MatrixFormat> stored_format(const Checkpoint& checkpoint, const WeightSpec& spec) {
  const auto source = Source::find(checkpoint, spec, whole_slice(spec));
  if (!source) return source.error();
  return stored_format(*source);
}

Expected<PackedMatrix> pack_weights(const Checkpoint& checkpoint, std::span<const WeightSpec> parts,
                                    const ShardPlan& plan, Rank rank, const MatrixFormat& format) {
  MatrixShape shape{format.format, 0, 0, format.group};
  std::vector<Source> sources;
  std::vector<std::int64_t> padding;
  for (const WeightSpec& part : parts) {
    const ShardSlice slice = plan.slice(part.shard, part.shape, rank);
    auto source = Source::find(checkpoint, part, slice);
    if (!source) return source.error();
    padding.push_back(slice.dimension == 0 ? slice.padding : 0);
    shape.rows += source->slice().rows + padding.back();
    shape.columns = source->slice().columns;
    sources.push_back(*std::move(source));
  }
  auto packer = MatrixPacker::start(shape);
  if (!packer) return make_error("weight {}: {}", parts.front().tensor, packer.error().message);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (auto added = add_part(*packer, parts[i], sources[i], format); !added) return added.error();
    const std::vector<float> zeros(static_cast<std::size_t>(padding[i] * shape.columns));
    if (padding[i] == 0) continue;
    const auto added = is_quantized(format.format)
                           ? packer->add(quantize_rows(zeros, shape.columns, {format.format, format.group}))
                           : packer->add(std::span<const float>(zeros));
    if (!added) return added.error();
  }
  return std::move(*packer).finish();
}

}  // namespace weft::model
