// From a checkpoint's tensors to the weights that layers ask for. Any thread; torch's exceptions pass through.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/base/expected.h"
#include "model/config/weight_specs.h"
#include "model/weights/safetensors.h"

namespace weft::model {

// A slice of a weight, as ShardPlan gives it, in `dtype`; the rest is not read. Errors: it is missing, of another shape
// than config.json says, or not of numbers with a fraction.
Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, const ShardSlice& slice,
                                 at::ScalarType dtype);
// All of it.
Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, at::ScalarType dtype);

}  // namespace weft::model
