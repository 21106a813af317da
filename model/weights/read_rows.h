// The numbers of a checkpoint's tensor as Hugging Face has it, whatever its file does to them: widened, out of blocks,
// in their order. Read from the file, some at a time: a loaded model neither holds its file in memory nor depends on
// the page cache. Pure but for that.
#pragma once

#include <cstdint>

#include "model/base/expected.h"
#include "model/weights/half.h"
#include "model/weights/tensor_view.h"

namespace weft::model {

// A rectangle of a tensor: rows are of its first dimension, columns of all others, flattened. A vector has rows of one
// column, a scalar one row.
struct TensorSlice {
  std::int64_t row = 0, rows = 0, column = 0, columns = 0;
};
TensorSlice whole(const TensorView& view);
// The matrix whose rows are the other's columns; nothing is moved. Not of heads stored as rotary pairs.
TensorView transpose(TensorView matrix);
// Where the file has a row; another row where heads are stored as rotary pairs.
std::int64_t stored_row(const TensorView& view, std::int64_t row);

// To out[i * stride + j] for row i and column j of the slice. Errors: a dtype that is not one of weights; a slice that
// is not within the tensor.
Expected<void> read_slice(const TensorView& view, const TensorSlice& slice, float* out, std::int64_t stride);
Expected<void> read_slice(const TensorView& view, const TensorSlice& slice, Bf16* out, std::int64_t stride);

// Rows begin … begin + count - 1, one after the other.
template <class Out>
Expected<void> read_rows(const TensorView& view, std::int64_t begin, std::int64_t count, Out* out) {
  const std::int64_t columns = whole(view).columns;
  return read_slice(view, {begin, count, 0, columns}, out, columns);
}

}  // namespace weft::model
