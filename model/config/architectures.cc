// The architecture table: a family is a row.
#include <algorithm>
#include <array>

#include "model/config/model_config.h"

namespace weft::model {
namespace {

constexpr std::array<Architecture, 4> kArchitectures{{
    {.name = "LlamaForCausalLM",
     .model_type = "llama",
     .qkv_bias = false,
     .qk_norm = false,
     .tied_by_default = false,
     .explicit_head_dim = false,
     .bias_options = true,
     .adds_bos = true,
     .encoder_decoder = false},
    {.name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .qkv_bias = true,
     .qk_norm = false,
     .tied_by_default = false,
     .explicit_head_dim = false,
     .bias_options = false,
     .adds_bos = false,
     .encoder_decoder = false},
    {.name = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .qkv_bias = false,
     .qk_norm = true,
     .tied_by_default = false,
     .explicit_head_dim = true,
     .bias_options = true,
     .adds_bos = false,
     .encoder_decoder = false},
    // CodeT5 too; it has a beginning-of-sequence token, T5 has none. CodeT5+ from 2B on is another architecture.
    {.name = "T5ForConditionalGeneration",
     .model_type = "t5",
     .qkv_bias = false,
     .qk_norm = false,
     .tied_by_default = true,
     .explicit_head_dim = true,
     .bias_options = false,
     .adds_bos = true,
     .encoder_decoder = true},
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
