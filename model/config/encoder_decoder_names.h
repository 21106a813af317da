// How T5's checkpoints name their tensors. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config/model_config.h"

namespace weft::model {

inline constexpr const char* kSharedEmbedding = "shared.weight";

// `stack`: "encoder" or "decoder".
inline std::string part_name(std::string_view stack, int block, int part, std::string_view name) {
  return fmt::format("{}.block.{}.layer.{}.{}", stack, block, part, name);
}

// The first block of a stack owns the relative positions of all.
inline std::string positions_name(std::string_view stack) {
  return part_name(stack, 0, 0, "SelfAttention.relative_attention_bias.weight");
}

inline std::vector<std::string> input_names(const ModelConfig& config) {
  return config.gated_mlp ? std::vector<std::string>{".wi_0", ".wi_1"} : std::vector<std::string>{".wi"};
}

}  // namespace weft::model
