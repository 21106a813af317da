// Between tensors and checkpoints. Compute thread, or the loading one.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/base/expected.h"
#include "model/config/shard_plan.h"
#include "model/weights/tensor_view.h"

namespace weft::model {

// All of it, on the CPU, in the dtype that it is stored in; in fp32 where that has no tensors, as blocks do not, or
// where the numbers are not stored as they are meant.
at::Tensor to_tensor(const TensorView& view);
// One slice of it, with zeros for the padding, in fp32 or bf16. The rest of the file is not read, and there is no copy
// in between. Error: a dtype that is not one of weights.
Expected<at::Tensor> to_tensor(const TensorView& view, const ShardSlice& slice, at::ScalarType dtype);
// A view of a contiguous CPU tensor of a dtype that safetensors has; valid while the tensor lives.
TensorView to_view(const at::Tensor& tensor);

}  // namespace weft::model
