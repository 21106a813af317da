// The activations of an MLP. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config/model_config.h"

namespace weft::model {

at::Tensor activate(Activation activation, const at::Tensor& x);  // element by element

}  // namespace weft::model
