// The architecture table: a family is a row.
#include <algorithm>
#include <array>

#include "model/config/model_config.h"
#include "model/config/tensor_names.h"

namespace weft::model {
namespace {

constexpr TensorNames kLlamaNames{.embedding = "model.embed_tokens",
                                  .block = "model.layers.",
                                  .final_norm = "model.norm",
                                  .head = "lm_head",
                                  .input_norm = "input_layernorm",
                                  .q = "self_attn.q_proj",
                                  .k = "self_attn.k_proj",
                                  .v = "self_attn.v_proj",
                                  .o = "self_attn.o_proj",
                                  .q_norm = "self_attn.q_norm",
                                  .k_norm = "self_attn.k_norm",
                                  .post_attention_norm = "post_attention_layernorm",
                                  .gate = "mlp.gate_proj",
                                  .up = "mlp.up_proj",
                                  .down = "mlp.down_proj",
                                  .router = "mlp.gate",
                                  .experts = "mlp.experts",
                                  .expert_gate = "gate_proj",
                                  .expert_up = "up_proj",
                                  .expert_down = "down_proj"};

constexpr TensorNames starcoder2_names() {
  TensorNames names = kLlamaNames;
  names.gate = {};
  names.up = "mlp.c_fc";
  names.down = "mlp.c_proj";
  return names;
}
constexpr TensorNames kStarCoder2Names = starcoder2_names();

constexpr TensorNames kGpt2Names{.embedding = "transformer.wte",
                                 .positions = "transformer.wpe",
                                 .block = "transformer.h.",
                                 .final_norm = "transformer.ln_f",
                                 .head = "lm_head",
                                 .input_norm = "ln_1",
                                 .qkv = "attn.c_attn",
                                 .o = "attn.c_proj",
                                 .post_attention_norm = "ln_2",
                                 .up = "mlp.c_fc",
                                 .down = "mlp.c_proj"};

constexpr std::array kArchitectures{
    // CodeLlama, DeepSeek-Coder v1, Granite-code 3B and 8B, Mellum 4B and many others too.
    Architecture{.name = "LlamaForCausalLM",
                 .model_type = "llama",
                 .names = &kLlamaNames,
                 .bias_fields = BiasFields::kLlama,
                 .adds_bos = true},
    // Codestral too.
    Architecture{.name = "MistralForCausalLM",
                 .model_type = "mistral",
                 .names = &kLlamaNames,
                 .window_fields = WindowFields::kAlways,
                 .adds_bos = true},
    Architecture{.name = "Qwen2ForCausalLM",
                 .model_type = "qwen2",
                 .names = &kLlamaNames,
                 .qkv_bias = true,
                 .window_fields = WindowFields::kSome},
    Architecture{.name = "Qwen3ForCausalLM",
                 .model_type = "qwen3",
                 .names = &kLlamaNames,
                 .bias_fields = BiasFields::kLlama,
                 .window_fields = WindowFields::kSome,
                 .qk_norm = true,
                 .explicit_head_dim = true},
    // Qwen3-Coder-30B-A3B.
    Architecture{.name = "Qwen3MoeForCausalLM",
                 .model_type = "qwen3_moe",
                 .names = &kLlamaNames,
                 .bias_fields = BiasFields::kLlama,
                 .window_fields = WindowFields::kSome,
                 .qk_norm = true,
                 .explicit_head_dim = true,
                 .experts = true},
    Architecture{.name = "Starcoder2ForCausalLM",
                 .model_type = "starcoder2",
                 .names = &kStarCoder2Names,
                 .norm = NormKind::kLayer,
                 .eps_field = "norm_epsilon",
                 .activation = "gelu_pytorch_tanh",
                 .gated_mlp = false,
                 .biases = true,
                 .bias_fields = BiasFields::kStarCoder2,
                 .window_fields = WindowFields::kAlways,
                 .tied_by_default = true},
    // CodeGemma too.
    Architecture{.name = "GemmaForCausalLM",
                 .model_type = "gemma",
                 .names = &kLlamaNames,
                 .norm = NormKind::kRmsPlusOne,
                 .activation = "gelu_pytorch_tanh",
                 .bias_fields = BiasFields::kLlama,
                 .tied_by_default = true,
                 .default_head_dim = 256,
                 .scaled_embedding = true,
                 .adds_bos = true},
    // Granite 3 and the Granite-code variants that are of this type.
    Architecture{.name = "GraniteForCausalLM",
                 .model_type = "granite",
                 .names = &kLlamaNames,
                 .bias_fields = BiasFields::kLlama,
                 .multipliers = true},
    Architecture{.name = "StableLmForCausalLM",
                 .model_type = "stablelm",
                 .names = &kLlamaNames,
                 .norm = NormKind::kLayer,
                 .eps_field = "layer_norm_eps",
                 .bias_fields = BiasFields::kStableLm,
                 .partial_rotary = 0.25},
    // Mellum 2; Mellum 4B is a Llama.
    Architecture{.name = "MellumForCausalLM",
                 .model_type = "mellum",
                 .names = &kLlamaNames,
                 .bias_fields = BiasFields::kLlama,
                 .window_fields = WindowFields::kListed,
                 .qk_norm = true,
                 .default_head_dim = 128,
                 .experts = true},
    // StarCoder, SantaCoder, Granite-code 20B and 34B.
    Architecture{.name = "GPTBigCodeForCausalLM",
                 .model_type = "gpt_bigcode",
                 .names = &kGpt2Names,
                 .style = ConfigStyle::kGpt2,
                 .norm = NormKind::kLayer,
                 .activation = "gelu_pytorch_tanh",
                 .gated_mlp = false,
                 .learned_positions = true,
                 .biases = true,
                 .tied_by_default = true},
    // What Megatron-LM's converter writes too.
    Architecture{.name = "GPT2LMHeadModel",
                 .model_type = "gpt2",
                 .names = &kGpt2Names,
                 .style = ConfigStyle::kGpt2,
                 .norm = NormKind::kLayer,
                 .activation = "gelu_new",
                 .gated_mlp = false,
                 .learned_positions = true,
                 .transposed_linears = true,
                 .biases = true,
                 .tied_by_default = true},
    // CodeT5 and CodeT5+ 220M and 770M too. CodeT5 has a beginning-of-sequence token, T5 has none.
    Architecture{.name = "T5ForConditionalGeneration",
                 .model_type = "t5",
                 .style = ConfigStyle::kT5,
                 .tied_by_default = true,
                 .explicit_head_dim = true,
                 .adds_bos = true,
                 .encoder_decoder = true},
};

// Architectures that people will try and that are something else than what they are taken for.
struct Foreign {
  std::string_view name, why;
};
constexpr std::array kForeign{
    Foreign{"CodeT5pEncoderDecoderModel", "CodeT5+ from 2B on is another architecture than the 220M and 770M models"},
    Foreign{"Qwen3NextForCausalLM", "its linear attention is not built"},
    Foreign{"DeepseekV2ForCausalLM", "its latent attention is not built"},
};

}  // namespace

const Architecture* find_architecture(std::string_view name_or_model_type) {
  const auto row = std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const Architecture& architecture) {
    return architecture.name == name_or_model_type || architecture.model_type == name_or_model_type;
  });
  return row == kArchitectures.end() ? nullptr : &*row;
}

std::string why_unknown(std::string_view name) {
  const auto row = std::ranges::find(kForeign, name, &Foreign::name);
  const std::string reason = row == kForeign.end() ? "" : fmt::format(": {}", row->why);
  std::string known;
  for (const Architecture& architecture : kArchitectures) {
    known.append(known.empty() ? "" : ", ").append(architecture.name);
  }
  return fmt::format("unknown architecture '{}'{}; known are {}", name, reason, known);
}

}  // namespace weft::model
