#include "model/tensor_file.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "model/base/check.h"

namespace weft::model {
namespace {

at::ScalarType scalar_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return at::kFloat;
    case Dtype::kBf16:
      return at::kBFloat16;
    case Dtype::kF16:
      return at::kHalf;
    case Dtype::kI64:
      return at::kLong;
  }
  WEFT_CHECK(false);
}

Dtype dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return Dtype::kF32;
    case at::kBFloat16:
      return Dtype::kBf16;
    case at::kHalf:
      return Dtype::kF16;
    case at::kLong:
      return Dtype::kI64;
    default:
      WEFT_CHECK(false);
  }
}

}  // namespace

at::Tensor to_tensor(const TensorView& view) {
  at::Tensor out = at::empty(view.shape, at::TensorOptions().dtype(scalar_type(view.dtype)));
  std::memcpy(out.data_ptr(), view.data.data(), view.data.size());
  return out;
}

at::Tensor to_tensor(const TensorView& view, const ShardSlice& slice) {
  const auto dimension = static_cast<std::ptrdiff_t>(slice.dimension);
  std::vector<std::int64_t> shape = view.shape;
  const std::int64_t whole = std::exchange(shape[static_cast<std::size_t>(dimension)], slice.padded_length());
  const auto product = [](auto begin, auto end) {
    return static_cast<std::size_t>(std::accumulate(begin, end, std::int64_t{1}, std::multiplies<>()));
  };
  const std::size_t outer = product(shape.begin(), shape.begin() + dimension);
  const std::size_t inner = product(shape.begin() + dimension + 1, shape.end()) * dtype_size(view.dtype);
  at::Tensor out = at::zeros(shape, at::TensorOptions().dtype(scalar_type(view.dtype)));
  auto* to = static_cast<std::byte*>(out.mutable_data_ptr());
  const std::byte* from = view.data.data() + static_cast<std::size_t>(slice.begin) * inner;
  for (std::size_t i = 0; i < outer; ++i) {
    std::memcpy(to + i * static_cast<std::size_t>(slice.padded_length()) * inner,
                from + i * static_cast<std::size_t>(whole) * inner, static_cast<std::size_t>(slice.length) * inner);
  }
  return out;
}

TensorView to_view(const at::Tensor& tensor) {
  WEFT_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {dtype_of(tensor.scalar_type()),
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

}  // namespace weft::model
