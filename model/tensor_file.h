// Between tensors and safetensors files. Compute thread, or the loading one.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config/shard_plan.h"
#include "model/weights/safetensors.h"

namespace weft::model {

// A copy of the view's data, on the CPU.
at::Tensor to_tensor(const TensorView& view);
// A copy of one slice of it, with zeros for the padding; the rest of the file is not read.
at::Tensor to_tensor(const TensorView& view, const ShardSlice& slice);
// A view of a contiguous CPU tensor of a dtype that the format has; valid while the tensor lives.
TensorView to_view(const at::Tensor& tensor);

}  // namespace weft::model
