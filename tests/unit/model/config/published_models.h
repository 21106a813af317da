// config.json of published models, as far as it matters, and how many parameters each is known to have. Test's thread.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace weft::test {

struct PublishedModel {
  std::string name;
  double parameters;  // billions
  std::string config;
};

inline void PrintTo(const PublishedModel& model, std::ostream* out) { *out << model.name; }

inline std::string llama_like(const std::string& architecture, const std::vector<int>& sizes, const std::string& more) {
  static constexpr const char* kNames[] = {"num_hidden_layers",   "hidden_size",       "num_attention_heads",
                                           "num_key_value_heads", "intermediate_size", "vocab_size"};
  nlohmann::json out = nlohmann::json::parse("{" + more + "}");
  out["architectures"] = {architecture};
  for (std::size_t i = 0; i < sizes.size(); ++i) out[kNames[i]] = sizes[i];
  if (!out.contains("max_position_embeddings")) out["max_position_embeddings"] = 16384;
  return out.dump();
}

inline std::vector<PublishedModel> published_models() {
  return {
      {"Qwen2.5-Coder-0.5B", 0.494,
       llama_like("Qwen2ForCausalLM", {24, 896, 14, 2, 4864, 151936},
                  R"("tie_word_embeddings": true, "rope_theta": 1e6, "use_sliding_window": false,
                     "sliding_window": 131072, "max_window_layers": 24)")},
      {"Qwen2.5-Coder-7B", 7.616, llama_like("Qwen2ForCausalLM", {28, 3584, 28, 4, 18944, 152064}, "")},
      {"Qwen3-Coder-30B-A3B", 30.53,
       llama_like("Qwen3MoeForCausalLM", {48, 2048, 32, 4, 5472, 151936},
                  R"("head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768,
                     "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [], "rope_theta": 1e7)")},
      {"StarCoder2-3B", 3.03,
       llama_like(
           "Starcoder2ForCausalLM", {30, 3072, 24, 2, 12288, 49152},
           R"("use_bias": true, "sliding_window": 4096, "norm_epsilon": 1e-5, "hidden_act": "gelu_pytorch_tanh")")},
      {"CodeLlama-7B", 6.74, llama_like("LlamaForCausalLM", {32, 4096, 32, 32, 11008, 32016}, R"("rope_theta": 1e6)")},
      {"DeepSeek-Coder-1.3B", 1.346,
       llama_like("LlamaForCausalLM", {24, 2048, 16, 16, 5504, 32256},
                  R"("rope_theta": 100000, "rope_scaling": {"type": "linear", "factor": 4.0})")},
      {"Codestral-22B", 22.25,
       llama_like("MistralForCausalLM", {56, 6144, 48, 8, 16384, 32768}, R"("sliding_window": null)")},
      {"CodeGemma-2B", 2.506,
       llama_like("GemmaForCausalLM", {18, 2048, 8, 1, 16384, 256000},
                  R"("head_dim": 256, "hidden_act": "gelu", "hidden_activation": null)")},
      {"Granite-code-8B", 8.06,
       llama_like("LlamaForCausalLM", {36, 4096, 32, 8, 14336, 49152},
                  R"("attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true)")},
      {"Mellum-4B", 4.02, llama_like("LlamaForCausalLM", {30, 3072, 24, 24, 8256, 98304}, "")},
      {"StarCoder", 15.52,
       R"({"architectures": ["GPTBigCodeForCausalLM"], "n_layer": 40, "n_embd": 6144, "n_head": 48, "n_inner": 24576,
           "n_positions": 8192, "vocab_size": 49152, "multi_query": true})"},
      {"GPT-2", 0.1244,
       R"({"architectures": ["GPT2LMHeadModel"], "n_layer": 12, "n_embd": 768, "n_head": 12, "n_positions": 1024,
           "vocab_size": 50257, "n_inner": null})"},
      {"CodeT5+ 220M", 0.2229,
       R"({"architectures": ["T5ForConditionalGeneration"], "d_model": 768, "d_kv": 64, "d_ff": 3072, "num_heads": 12,
           "num_layers": 12, "num_decoder_layers": 12, "vocab_size": 32100, "feed_forward_proj": "relu"})"},
  };
}

}  // namespace weft::test
