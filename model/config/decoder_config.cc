#include "model/config/decoder_config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/base/check.h"
#include "model/config/tensor_names.h"

namespace weft::model {
namespace {

constexpr JsonFields::Limits kExpertsLimits{1, 1 << 12};
constexpr double kLargestMultiplier = 1e6;
constexpr std::string_view kFull = "full_attention", kWindowed = "sliding_attention", kSparse = "sparse",
                           kDense = "dense";

struct ActivationRow {
  std::string_view name;
  Activation activation;
};
// gelu_new is what GPT-2 called the same approximation by tanh. The first name of an activation is the one written.
constexpr std::array<ActivationRow, 5> kActivations{{{"silu", Activation::kSilu},
                                                     {"gelu", Activation::kGelu},
                                                     {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                                     {"gelu_new", Activation::kGeluTanh},
                                                     {"relu", Activation::kRelu}}};

void read_activation(JsonFields& fields, std::string_view field, ModelConfig& config) {
  std::string name = fields.text(field, config.architecture->activation);
  // Gemma's first config.json said gelu and meant the approximation, which newer ones name beside it.
  const bool gemma = config.architecture->norm == NormKind::kRmsPlusOne;
  if (gemma) name = fields.text("hidden_activation", name == "gelu" ? config.architecture->activation : name);
  const auto row = std::ranges::find(kActivations, name, &ActivationRow::name);
  if (row == kActivations.end()) {
    std::string known;
    for (const ActivationRow& each : kActivations) known.append(known.empty() ? "" : ", ").append(each.name);
    fields.fail(fmt::format("{} '{}' is not supported, only {} are", field, name, known));
    return;
  }
  config.activation = row->activation;
}

void read_head_dim(JsonFields& fields, ModelConfig& config) {
  const Architecture& row = *config.architecture;
  if (row.explicit_head_dim || fields.find("head_dim") != nullptr) {
    config.head_dim = fields.integer("head_dim", kHeadDimLimits);
  } else if (row.default_head_dim > 0) {
    config.head_dim = row.default_head_dim;
  } else if (config.hidden % config.heads != 0) {
    fields.fail(fmt::format("head_dim is missing and hidden_size {} is not divisible by num_attention_heads {}",
                            config.hidden, config.heads));
  } else {
    config.head_dim = config.hidden / config.heads;
  }
  if (!fields.failed() && (config.head_dim < kHeadDimLimits.least || config.head_dim > kHeadDimLimits.most)) {
    fields.fail(fmt::format("hidden_size {} over num_attention_heads {} gives heads of {}, expected {} to {}",
                            config.hidden, config.heads, config.head_dim, kHeadDimLimits.least, kHeadDimLimits.most));
  }
}

void read_llama_sizes(JsonFields& fields, ModelConfig& config) {
  config.layers = fields.integer("num_hidden_layers", kLayersLimits);
  config.hidden = fields.integer("hidden_size", kHiddenLimits);
  config.heads = fields.integer("num_attention_heads", kHeadsLimits);
  config.kv_heads = fields.integer("num_key_value_heads", kHeadsLimits, config.heads);
  config.intermediate = fields.integer("intermediate_size", kIntermediateLimits);
  config.vocabulary = fields.integer("vocab_size", kVocabularyLimits);
  config.max_positions = fields.integer("max_position_embeddings", kPositionsLimits);
  if (fields.failed()) return;
  if (config.heads % config.kv_heads != 0) {
    fields.fail(fmt::format("num_attention_heads {} is not divisible by num_key_value_heads {}", config.heads,
                            config.kv_heads));
    return;
  }
  read_head_dim(fields, config);
}

void read_gpt2_sizes(JsonFields& fields, ModelConfig& config) {
  config.layers = fields.integer("n_layer", kLayersLimits);
  config.hidden = fields.integer("n_embd", kHiddenLimits);
  config.heads = fields.integer("n_head", kHeadsLimits);
  config.intermediate = fields.integer("n_inner", kIntermediateLimits, 4 * config.hidden);
  config.vocabulary = fields.integer("vocab_size", kVocabularyLimits);
  config.max_positions = fields.integer("n_positions", kPositionsLimits);
  // The one of the two that shares keys and values keeps each head's three parts together where it does not.
  const bool big_code = config.architecture->model_type == "gpt_bigcode";
  if (big_code && !fields.flag("multi_query", true)) fields.fail("multi_query false is not supported");
  config.kv_heads = big_code ? 1 : config.heads;
  if (!fields.flag("scale_attn_weights", true)) config.attention_multiplier = 1;
  if (fields.flag("scale_attn_by_inverse_layer_idx", false)) {
    fields.fail("scale_attn_by_inverse_layer_idx is not supported");
  }
  if (fields.flag("add_cross_attention", false)) fields.fail("add_cross_attention is not supported");
  if (fields.failed()) return;
  if (config.hidden % config.heads != 0) {
    fields.fail(fmt::format("n_embd {} is not divisible by n_head {}", config.hidden, config.heads));
    return;
  }
  config.head_dim = config.hidden / config.heads;
}

void read_biases(JsonFields& fields, ModelConfig& config) {
  const Architecture& row = *config.architecture;
  config.qkv_bias = row.biases || row.qkv_bias;
  config.output_bias = config.mlp_bias = row.biases;
  switch (row.bias_fields) {
    case BiasFields::kNone:
      break;
    case BiasFields::kLlama:
      config.qkv_bias = config.output_bias = fields.flag("attention_bias", config.qkv_bias);
      // Only transformers' Llama and Granite have biases in their MLP; the others never write the key.
      config.mlp_bias = fields.flag("mlp_bias", false);
      break;
    case BiasFields::kStarCoder2:
      config.qkv_bias = config.output_bias = config.mlp_bias = fields.flag("use_bias", row.biases);
      break;
    case BiasFields::kStableLm:
      config.qkv_bias = fields.flag("use_qkv_bias", false);
      break;
  }
}

// One name a layer, all of them among the two. Empty: the field is absent, or wrong.
std::vector<bool> listed(JsonFields& fields, std::string_view field, std::string_view yes, std::string_view no,
                         int layers) {
  const std::vector<std::string> names = fields.texts(field);
  if (names.empty()) return {};
  if (names.size() != static_cast<std::size_t>(layers)) {
    fields.fail(fmt::format("{} has {} entries for {} layers", field, names.size(), layers));
    return {};
  }
  std::vector<bool> out;
  for (const std::string& name : names) {
    if (name != yes && name != no) {
      fields.fail(fmt::format("{} '{}' is not supported, only '{}' and '{}' are", field, name, no, yes));
      return {};
    }
    out.push_back(name == yes);
  }
  return out;
}

void read_windows(JsonFields& fields, ModelConfig& config) {
  const WindowFields kind = config.architecture->window_fields;
  const auto layers = static_cast<std::size_t>(config.layers);
  std::vector<bool> windowed = listed(fields, "layer_types", kWindowed, kFull, config.layers);
  const int window = fields.integer("sliding_window", kPositionsLimits, 0);
  if (kind == WindowFields::kNone) {
    windowed.assign(layers, false);
  } else if (kind == WindowFields::kAlways) {
    windowed.assign(layers, window > 0);
  } else if (kind == WindowFields::kSome && !fields.flag("use_sliding_window", false)) {
    windowed.assign(layers, false);
  } else if (windowed.empty()) {
    const int first =
        kind == WindowFields::kSome ? fields.integer("max_window_layers", {0, 1 << 16}, 28) : config.layers;
    for (int layer = 0; layer < config.layers; ++layer) windowed.push_back(layer >= first);
  }
  if (fields.failed()) return;
  for (std::size_t layer = 0; layer < layers; ++layer) config.layer_configs[layer].windowed = windowed[layer];
  if (std::ranges::find(windowed, true) == windowed.end()) return;
  if (window == 0) fields.fail("sliding_window is missing");
  config.window = window;
}

void read_experts(JsonFields& fields, ModelConfig& config) {
  if (!config.architecture->experts) return;
  ExpertsConfig experts;
  const bool renamed = fields.find("num_local_experts") != nullptr;  // newer transformers
  experts.count = fields.integer(renamed ? "num_local_experts" : "num_experts", kExpertsLimits);
  experts.per_token = fields.integer("num_experts_per_tok", kExpertsLimits);
  experts.intermediate = fields.integer("moe_intermediate_size", kIntermediateLimits);
  experts.normalized = fields.flag("norm_topk_prob", config.architecture->window_fields == WindowFields::kListed);
  const int step = fields.integer("decoder_sparse_step", {1, 1 << 16}, 1);
  if (fields.failed()) return;
  if (experts.per_token > experts.count) {
    fields.fail(fmt::format("num_experts_per_tok {} is more than the {} experts", experts.per_token, experts.count));
  }
  const std::vector<bool> sparse = listed(fields, "mlp_layer_types", kSparse, kDense, config.layers);
  const std::vector<std::int32_t> dense = fields.ids("mlp_only_layers", config.layers);
  for (int layer = 0; layer < config.layers; ++layer) {
    const auto index = static_cast<std::size_t>(layer);
    const bool stepped = (layer + 1) % step == 0 && std::ranges::find(dense, layer) == dense.end();
    config.layer_configs[index].experts = sparse.empty() ? stepped : sparse[index];
  }
  config.experts = experts;
}

void read_multipliers(JsonFields& fields, ModelConfig& config) {
  if (config.architecture->scaled_embedding)
    config.embedding_multiplier = std::sqrt(static_cast<double>(config.hidden));
  if (!config.architecture->multipliers) return;
  config.embedding_multiplier = fields.number("embedding_multiplier", 0.0, kLargestMultiplier, 1.0);
  config.residual_multiplier = fields.number("residual_multiplier", 0.0, kLargestMultiplier, 1.0);
  config.attention_multiplier = fields.number("attention_multiplier", 0.0, kLargestMultiplier, 1.0);
  config.logits_divisor = fields.number("logits_scaling", 0.0, kLargestMultiplier, 1.0);
}

// What would change the numbers and is not built is refused, never ignored.
void refuse_unsupported(JsonFields& fields) {
  for (const std::string_view field : {"use_parallel_residual", "qk_layernorm", "use_bidirectional_attention"}) {
    if (fields.flag(field, false)) fields.fail(fmt::format("{} is not supported", field));
  }
  if (fields.find("quantization_config") != nullptr) fields.fail("quantization_config is not supported");
}

void write_llama_sizes(const ModelConfig& config, nlohmann::ordered_json& out) {
  out.update({{"num_hidden_layers", config.layers},
              {"hidden_size", config.hidden},
              {"num_attention_heads", config.heads},
              {"num_key_value_heads", config.kv_heads},
              {"head_dim", config.head_dim},
              {"intermediate_size", config.intermediate},
              {"vocab_size", config.vocabulary},
              {"max_position_embeddings", config.max_positions}});
}

void write_gpt2_sizes(const ModelConfig& config, nlohmann::ordered_json& out) {
  out.update({{"n_layer", config.layers},
              {"n_embd", config.hidden},
              {"n_head", config.heads},
              {"n_inner", config.intermediate},
              {"vocab_size", config.vocabulary},
              {"n_positions", config.max_positions},
              {"scale_attn_weights", config.attention_multiplier == 0}});
}

void write_biases(const ModelConfig& config, nlohmann::ordered_json& out) {
  switch (config.architecture->bias_fields) {
    case BiasFields::kNone:
      break;
    case BiasFields::kLlama:
      out["attention_bias"] = config.qkv_bias;
      out["mlp_bias"] = config.mlp_bias;
      break;
    case BiasFields::kStarCoder2:
      out["use_bias"] = config.qkv_bias;
      break;
    case BiasFields::kStableLm:
      out["use_qkv_bias"] = config.qkv_bias;
      break;
  }
}

void write_layers(const ModelConfig& config, nlohmann::ordered_json& out) {
  if (config.architecture->window_fields == WindowFields::kSome) out["use_sliding_window"] = config.window > 0;
  if (config.window > 0) out["sliding_window"] = config.window;
  std::vector<std::string_view> attention, mlp;
  std::vector<int> dense;
  for (int layer = 0; layer < config.layers; ++layer) {
    attention.push_back(config.layer(layer).windowed ? kWindowed : kFull);
    mlp.push_back(config.layer(layer).experts ? kSparse : kDense);
    if (!config.layer(layer).experts) dense.push_back(layer);
  }
  if (config.window > 0 && config.architecture->window_fields != WindowFields::kAlways) out["layer_types"] = attention;
  if (!config.experts) return;
  out.update({{"mlp_layer_types", mlp},  // Mellum reads the one, Qwen3-MoE the other
              {"mlp_only_layers", dense},
              {"num_experts", config.experts->count},
              {"num_experts_per_tok", config.experts->per_token},
              {"moe_intermediate_size", config.experts->intermediate},
              {"norm_topk_prob", config.experts->normalized}});
}

}  // namespace

void read_decoder(JsonFields& fields, ModelConfig& config) {
  const Architecture& row = *config.architecture;
  const bool gpt2 = row.style == ConfigStyle::kGpt2;
  gpt2 ? read_gpt2_sizes(fields, config) : read_llama_sizes(fields, config);
  if (fields.failed()) return;
  config.layer_configs.resize(static_cast<std::size_t>(config.layers));
  config.gated_mlp = row.gated_mlp;
  config.tied = fields.flag("tie_word_embeddings", row.tied_by_default);
  config.norm_eps = fields.number(gpt2 ? "layer_norm_epsilon" : row.eps_field, 0.0, 1.0,
                                  row.norm == NormKind::kLayer ? 1e-5 : config.norm_eps);
  read_activation(fields, gpt2 ? "activation_function" : "hidden_act", config);
  read_biases(fields, config);
  refuse_unsupported(fields);
  if (!row.learned_positions) read_rotary(fields, config);
  read_windows(fields, config);
  read_experts(fields, config);
  read_multipliers(fields, config);
}

void write_decoder(const ModelConfig& config, nlohmann::ordered_json& out) {
  const Architecture& row = *config.architecture;
  const bool gpt2 = row.style == ConfigStyle::kGpt2;
  gpt2 ? write_gpt2_sizes(config, out) : write_llama_sizes(config, out);
  const auto activation = std::ranges::find(kActivations, config.activation, &ActivationRow::activation);
  WEFT_CHECK(activation != kActivations.end());
  out[gpt2 ? "activation_function" : "hidden_act"] = activation->name;
  out[std::string(gpt2 ? "layer_norm_epsilon" : row.eps_field)] = config.norm_eps;
  out["tie_word_embeddings"] = config.tied;
  if (!row.learned_positions) write_rotary(config, out);
  write_biases(config, out);
  write_layers(config, out);
  if (row.multipliers) {
    out.update({{"embedding_multiplier", config.embedding_multiplier},
                {"residual_multiplier", config.residual_multiplier},
                {"attention_multiplier", config.attention_multiplier},
                {"logits_scaling", config.logits_divisor}});
  }
}

}  // namespace weft::model
