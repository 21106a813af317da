#include "model/weights/read_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/base/check.h"
#include "model/weights/dequantize.h"

namespace weft::model {
namespace {

// Read at once. Large enough to keep a disk busy, small beside a model.
constexpr std::int64_t kChunkBytes = std::int64_t{4} << 20;

template <class Out>
void store(const float* from, std::int64_t values, Out* out) {
  if constexpr (std::is_same_v<Out, float>) {
    std::copy_n(from, values, out);
  } else {
    std::transform(from, from + values, out, to_bf16);
  }
}

// Whole blocks, one after the other.
template <class Out>
void convert(Dtype dtype, const std::byte* from, std::int64_t values, Out* out) {
  if constexpr (std::is_same_v<Out, float>) {
    to_floats(dtype, from, values, out);
  } else if (dtype == Dtype::kBf16) {
    std::memcpy(static_cast<void*>(out), from, static_cast<std::size_t>(values) * sizeof(Out));
  } else {
    constexpr std::int64_t kBuffer = 1024;  // a multiple of every block
    const DtypeTraits& blocks = traits(dtype);
    float buffer[kBuffer];
    for (std::int64_t at = 0; at < values; at += kBuffer) {
      const std::int64_t count = std::min(kBuffer, values - at);
      to_floats(dtype, from + at / blocks.block_values * blocks.block_bytes, count, buffer);
      store(buffer, count, out + at);
    }
  }
}

// The rows of a tensor as they are stored.
class StoredRows {
 public:
  explicit StoredRows(const TensorView& view)
      : view_(view), blocks_(traits(view.dtype)), columns_(view.transposed ? whole(view).rows : whole(view).columns) {}

  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t row_bytes() const { return columns_ / blocks_.block_values * blocks_.block_bytes; }
  // From now on all that is asked for is among `rows` rows from `row` on, or in the same heads.
  Expected<void> fetch(std::int64_t row, std::int64_t rows) {
    const std::int64_t heads = std::max<std::int64_t>(1, view_.rotary_rows);
    const std::int64_t all = view_.transposed ? whole(view_).columns : whole(view_).rows;
    first_ = row / heads * heads;
    const std::int64_t end = std::min(all, (row + rows + heads - 1) / heads * heads);
    const auto part = view_.data.subspan(static_cast<std::size_t>(first_ * row_bytes()),
                                         static_cast<std::size_t>((end - first_) * row_bytes()));
    bytes_ = part.data();
    if (view_.file == nullptr) return {};
    thread_local std::vector<std::byte> buffer;
    buffer.resize(std::max(buffer.size(), part.size()));
    bytes_ = buffer.data();
    return view_.file->read(part, buffer.data());
  }
  [[nodiscard]] bool aligned(std::int64_t column, std::int64_t columns) const {
    return column % blocks_.block_values == 0 && columns % blocks_.block_values == 0;
  }
  // Of whole blocks.
  [[nodiscard]] const std::byte* at(std::int64_t row, std::int64_t column) const {
    return bytes_ + (row - first_) * row_bytes() + column / blocks_.block_values * blocks_.block_bytes;
  }
  // Any columns, with the offset. Valid until the next call.
  const float* read(std::int64_t row, std::int64_t column, std::int64_t columns) {
    const std::int64_t begin = column / blocks_.block_values * blocks_.block_values;
    const std::int64_t blocks = (column + columns - begin + blocks_.block_values - 1) / blocks_.block_values;
    buffer_.resize(static_cast<std::size_t>(blocks * blocks_.block_values));
    to_floats(view_.dtype, at(row, begin), blocks * blocks_.block_values, buffer_.data());
    if (view_.offset != 0) {
      for (float& value : buffer_) value += view_.offset;
    }
    return buffer_.data() + (column - begin);
  }

 private:
  const TensorView& view_;
  const DtypeTraits& blocks_;
  std::int64_t columns_;
  std::int64_t first_ = 0;  // the row that `bytes_` begins with
  const std::byte* bytes_ = nullptr;
  std::vector<float> buffer_;
};

template <class Out>
void read_transposed(StoredRows& stored, const TensorSlice& slice, Out* out, std::int64_t stride) {
  for (std::int64_t j = 0; j < slice.columns; ++j) {
    const float* column = stored.read(slice.column + j, slice.row, slice.rows);
    for (std::int64_t i = 0; i < slice.rows; ++i) store(column + i, 1, out + i * stride + j);
  }
}

template <class Out>
void read_plain(const TensorView& view, StoredRows& stored, const TensorSlice& slice, Out* out, std::int64_t stride) {
  const bool in_one = view.rotary_rows == 0 && slice.columns == stored.columns() && stride == slice.columns;
  if (view.offset == 0 && in_one) {
    convert(view.dtype, stored.at(slice.row, 0), slice.rows * slice.columns, out);
    return;
  }
  const bool direct = view.offset == 0 && stored.aligned(slice.column, slice.columns);
  for (std::int64_t i = 0; i < slice.rows; ++i) {
    const std::int64_t row = stored_row(view, slice.row + i);
    if (direct) {
      convert(view.dtype, stored.at(row, slice.column), slice.columns, out + i * stride);
    } else {
      store(stored.read(row, slice.column, slice.columns), slice.columns, out + i * stride);
    }
  }
}

Expected<void> check(const TensorView& view, const TensorSlice& slice) {
  if (!traits(view.dtype).is_number) return make_error("is of dtype {}, not one of weights", dtype_name(view.dtype));
  const TensorSlice all = whole(view);
  const auto within = [](std::int64_t begin, std::int64_t count, std::int64_t size) {
    return begin >= 0 && count >= 0 && begin <= size && count <= size - begin;
  };
  if (within(slice.row, slice.rows, all.rows) && within(slice.column, slice.columns, all.columns)) return {};
  return make_error("has {} rows of {}, asked for {} from {} and of them {} from {}", all.rows, all.columns, slice.rows,
                    slice.row, slice.columns, slice.column);
}

template <class Out>
Expected<void> read(const TensorView& view, const TensorSlice& slice, Out* out, std::int64_t stride) {
  if (auto fits = check(view, slice); !fits) return fits;
  if (slice.rows == 0 || slice.columns == 0) return {};
  StoredRows stored(view);
  // Chunks of stored rows, of whole heads where those are stored in another order.
  std::int64_t step = std::max(std::int64_t{1}, kChunkBytes / std::max(std::int64_t{1}, stored.row_bytes()));
  if (view.rotary_rows > 0) step = (step + view.rotary_rows - 1) / view.rotary_rows * view.rotary_rows;
  const std::int64_t first = view.transposed ? slice.column : slice.row;
  const std::int64_t count = view.transposed ? slice.columns : slice.rows;
  for (std::int64_t done = 0; done < count; done += step) {
    const std::int64_t rows = std::min(step, count - done);
    if (auto fetched = stored.fetch(first + done, rows); !fetched) return fetched;
    if (view.transposed) {
      read_transposed(stored, {slice.row, slice.rows, first + done, rows}, out + done, stride);
    } else {
      read_plain(view, stored, {first + done, rows, slice.column, slice.columns}, out + done * stride, stride);
    }
  }
  return {};
}

}  // namespace

TensorSlice whole(const TensorView& view) {
  TensorSlice all{0, view.shape.empty() ? 1 : view.shape.front(), 0, 1};
  for (std::size_t i = 1; i < view.shape.size(); ++i) all.columns *= view.shape[i];
  return all;
}

TensorView transpose(TensorView matrix) {
  WEFT_CHECK(matrix.shape.size() == 2 && matrix.rotary_rows == 0);
  matrix.transposed = !matrix.transposed;
  std::swap(matrix.shape[0], matrix.shape[1]);
  return matrix;
}

std::int64_t stored_row(const TensorView& view, std::int64_t row) {
  if (view.rotary_rows == 0) return row;
  const std::int64_t within = row % view.rotary_rows, half = view.rotary_rows / 2;
  return row - within + within % half * 2 + within / half;
}

Expected<void> read_slice(const TensorView& view, const TensorSlice& slice, float* out, std::int64_t stride) {
  return read(view, slice, out, stride);
}

Expected<void> read_slice(const TensorView& view, const TensorSlice& slice, Bf16* out, std::int64_t stride) {
  return read(view, slice, out, stride);
}

}  // namespace weft::model
