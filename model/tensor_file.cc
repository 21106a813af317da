#include "model/tensor_file.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "model/base/check.h"
#include "model/weights/read_rows.h"

namespace weft::model {
namespace {

struct TypeRow {
  Dtype dtype;
  at::ScalarType type;
};
constexpr std::array kTypes{TypeRow{Dtype::kF32, at::kFloat}, TypeRow{Dtype::kBf16, at::kBFloat16},
                            TypeRow{Dtype::kF16, at::kHalf},  TypeRow{Dtype::kI64, at::kLong},
                            TypeRow{Dtype::kI32, at::kInt},   TypeRow{Dtype::kI8, at::kChar},
                            TypeRow{Dtype::kU8, at::kByte}};

// Large ones lie in huge pages where the system has them: a third of the faults' time while loading, and fewer misses
// of the translation cache whenever all weights are read. The part after the last huge page is of small ones, so that
// nothing is wasted.
at::Tensor empty(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const auto options = at::TensorOptions().dtype(type);
  std::size_t bytes = c10::elementSize(type);
  for (const std::int64_t side : shape) bytes *= static_cast<std::size_t>(side);
  if (bytes < 2 * kHugePage) return at::empty(shape, options);
  void* memory = std::aligned_alloc(kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage);
  if (memory == nullptr) throw std::bad_alloc();
  ::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return at::from_blob(
      memory, shape, [](void* own) { std::free(own); }, options);
}

// The rectangle that the slice is of.
TensorSlice rectangle(const TensorView& view, const ShardSlice& slice) {
  TensorSlice out = whole(view);
  WEFT_CHECK(slice.dimension == 0 || (slice.dimension == 1 && view.shape.size() == 2));
  (slice.dimension == 0 ? out.row : out.column) = slice.begin;
  (slice.dimension == 0 ? out.rows : out.columns) = slice.length;
  return out;
}

}  // namespace

at::Tensor to_tensor(const TensorView& view) {
  const auto row = std::ranges::find(kTypes, view.dtype, &TypeRow::dtype);
  if (row != kTypes.end() && !view.transposed && view.rotary_rows == 0 && view.offset == 0) {
    at::Tensor out = empty(view.shape, row->type);
    if (!view.data.empty()) std::memcpy(out.mutable_data_ptr(), view.data.data(), view.data.size());
    return out;
  }
  at::Tensor out = empty(view.shape, at::kFloat);
  WEFT_CHECK(read_rows(view, 0, whole(view).rows, out.mutable_data_ptr<float>()));
  return out;
}

Expected<at::Tensor> to_tensor(const TensorView& view, const ShardSlice& slice, at::ScalarType dtype) {
  WEFT_CHECK(dtype == at::kFloat || dtype == at::kBFloat16);
  std::vector<std::int64_t> shape = view.shape;
  if (!shape.empty()) shape[static_cast<std::size_t>(slice.dimension)] = slice.padded_length();
  const TensorSlice from = rectangle(view, slice);
  const std::int64_t stride = from.columns + (slice.dimension == 0 ? 0 : slice.padding);
  at::Tensor out = slice.padding > 0 ? at::zeros(shape, at::TensorOptions().dtype(dtype)) : empty(shape, dtype);
  const auto read = dtype == at::kFloat ? read_slice(view, from, out.mutable_data_ptr<float>(), stride)
                                        : read_slice(view, from, static_cast<Bf16*>(out.mutable_data_ptr()), stride);
  if (!read) return read.error();
  return out;
}

TensorView to_view(const at::Tensor& tensor) {
  WEFT_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  const auto row = std::ranges::find(kTypes, tensor.scalar_type(), &TypeRow::type);
  WEFT_CHECK(row != kTypes.end());
  return {row->dtype, tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

}  // namespace weft::model
