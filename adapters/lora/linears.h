// The linears of a decoder that an adapter can change, by name and shape, from its configuration alone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config/model_config.h"

namespace weft::adapters {

struct LinearShape {
  std::string module;  // "model.layers.0.self_attn.q_proj"
  std::int64_t in = 0, out = 0;
};

// Block by block, in the order in which a block runs them. Parts of a fused tensor and weights that are stored [in,
// out] are not among them: PEFT has other rules for those.
[[nodiscard]] std::vector<LinearShape> adaptable_linears(const model::ModelConfig& config);

}  // namespace weft::adapters
