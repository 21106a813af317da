// The architecture table: a family is a row.
#include <algorithm>
#include <array>

#include "model/config/model_config.h"

namespace weft::model {
namespace {

constexpr std::array<Architecture, 3> kArchitectures{{
    {.name = "LlamaForCausalLM",
     .model_type = "llama",
     .qkv_bias = false,
     .qk_norm = false,
     .tied_by_default = false,
     .explicit_head_dim = false,
     .bias_options = true,
     .adds_bos = true},
    {.name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .qkv_bias = true,
     .qk_norm = false,
     .tied_by_default = false,
     .explicit_head_dim = false,
     .bias_options = false,
     .adds_bos = false},
    {.name = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .qkv_bias = false,
     .qk_norm = true,
     .tied_by_default = false,
     .explicit_head_dim = true,
     .bias_options = true,
     .adds_bos = false},
}};

}  // namespace

const Architecture* find_architecture(std::string_view name_or_model_type) {
  const auto row = std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const Architecture& architecture) {
    return architecture.name == name_or_model_type || architecture.model_type == name_or_model_type;
  });
  return row == kArchitectures.end() ? nullptr : &*row;
}

std::string known_architectures() {
  std::string out;
  for (const Architecture& architecture : kArchitectures) {
    out.append(out.empty() ? "" : ", ").append(architecture.name);
  }
  return out;
}

}  // namespace weft::model
