#include "adapters/train/default_config.h"

namespace weft::adapters {

Expected<model::ModelConfig> default_config(const std::string& name, std::size_t vocabulary) {
  const std::string json = fmt::format(
      R"({{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": {}, "hidden_size": 256,
          "num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
          "intermediate_size": 704, "max_position_embeddings": 2048, "rope_theta": 10000.0, "rms_norm_eps": 1e-6,
          "tie_word_embeddings": true, "hidden_act": "silu",
          "weft_fim": {{"prefix": "<fim_prefix>", "suffix": "<fim_suffix>", "middle": "<fim_middle>", "layout": "spm",
                        "stops": ["<|endoftext|>", "<file_sep>"]}}}})",
      vocabulary);
  return model::parse_model_config(json, name);
}

}  // namespace weft::adapters
