#include "model/tensor_file.h"

#include <ATen/ops/empty.h>

#include <cstring>

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

TensorView to_view(const at::Tensor& tensor) {
  WEFT_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {dtype_of(tensor.scalar_type()),
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

}  // namespace weft::model
