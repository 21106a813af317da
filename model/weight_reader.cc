#include "model/weight_reader.h"

#include <ATen/ops/zeros.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
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

// What went wrong first, by place, whichever thread met it first.
class FirstError {
 public:
  void keep(std::int64_t place, Error error) {
    const std::lock_guard lock(mutex_);
    if (place < place_) error_ = std::move(error);
    place_ = std::min(place_, place);
  }
  [[nodiscard]] Expected<void> result() && {
    if (error_) return *std::move(error_);
    return {};
  }

 private:
  std::mutex mutex_;
  std::int64_t place_ = std::numeric_limits<std::int64_t>::max();
  std::optional<Error> error_;
};

// A weight's way into the packed matrix, whose row `first` it begins at. Reading, rounding and packing are shared among
// the workers by strips: so one reads the disk while another computes.
class PartPacker {
 public:
  // int8 has one scale a row: it is the whole row's on every rank, so that ranks have the numbers that one process has.
  PartPacker(MatrixPacker& packer, std::int64_t first, const WeightSpec& spec, const Source& part,
             const MatrixFormat& format)
      : packer_(packer),
        first_(first),
        part_(part.slice()),
        source_(format.format == WeightFormat::kInt8 ? part.of_whole_rows(spec) : part),
        format_(format) {}

  Expected<void> run(Workers& workers) {
    const auto stored = stored_format(source_);
    if (!stored) return stored.error();
    as_it_is_ = source_.quantized() && stored->format == format_.format &&
                (format_.format == WeightFormat::kInt8 || stored->group == format_.group);
    FirstError error;
    for_pieces(workers, part_.rows, kStripRows, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> buffer(static_cast<std::size_t>(kStripRows * source_.slice().columns));
      for (std::int64_t row = begin; row < end; row += kStripRows) {
        const auto packed = strip(row, std::min(kStripRows, end - row), buffer);
        if (!packed) error.keep(row, packed.error());
      }
    });
    return std::move(error).result();
  }

 private:
  Expected<void> strip(std::int64_t row, std::int64_t count, std::span<float> buffer) {
    const std::int64_t columns = source_.slice().columns;
    const auto numbers = buffer.first(static_cast<std::size_t>(count * columns));
    const auto read = [&] { return source_.numbers(row, count, numbers.data(), columns); };
    if (!is_quantized(format_.format)) {
      if (auto done = read(); !done) return done;
      return packer_.put(first_ + row, numbers);
    }
    const auto rounded = [&]() -> Expected<QuantizedMatrix> {
      if (as_it_is_) return source_.quantized_rows(row, count);
      if (auto done = read(); !done) return done.error();
      return quantize_rows(numbers, columns, {format_.format, format_.group});
    };
    auto matrix = rounded();
    if (!matrix) return matrix.error();
    return packer_.put(first_ + row,
                       columns_of(*std::move(matrix), part_.column - source_.slice().column, part_.columns));
  }

  MatrixPacker& packer_;
  std::int64_t first_;
  TensorSlice part_;  // the rank's
  Source source_;
  const MatrixFormat& format_;
  bool as_it_is_ = false;
};

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
                                    const ShardPlan& plan, Rank rank, const MatrixFormat& format, Workers& workers) {
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
  std::int64_t first = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (auto packed = PartPacker(*packer, first, parts[i], sources[i], format).run(workers); !packed) {
      return packed.error();
    }
    first += sources[i].slice().rows;
    if (padding[i] == 0) continue;
    const std::vector<float> zeros(static_cast<std::size_t>(padding[i] * shape.columns));
    const auto put = is_quantized(format.format)
                         ? packer->put(first, quantize_rows(zeros, shape.columns, {format.format, format.group}))
                         : packer->put(first, zeros);
    if (!put) return put.error();
    first += padding[i];
  }
  return std::move(*packer).finish();
}

}  // namespace weft::model
