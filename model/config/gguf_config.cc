#include "model/config/gguf_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

namespace weft::model {
namespace {

using Json = nlohmann::ordered_json;

enum class Style { kLlama, kGpt2 };  // in whose names config.json gives the sizes

struct Row {
  std::string_view gguf;  // general.architecture
  std::string_view name, model_type;
  std::string_view eps_field;  // in config.json
  bool layer_norm = false;     // otherwise RMS
  Style style = Style::kLlama;
  void (*add)(class Keys&, const GgufTensorFacts&, Json&) = nullptr;  // what this family has beside the others
};

// The keys of one file, each below its architecture, and the first that is missing.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string prefix) : metadata_(metadata), prefix_(std::move(prefix)) {}
  [[nodiscard]] std::string full(std::string_view key) const { return fmt::format("{}.{}", prefix_, key); }
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const { return metadata_.integer(full(key)); }
  [[nodiscard]] std::optional<double> number(std::string_view key) const { return metadata_.number(full(key)); }
  [[nodiscard]] std::string text(std::string_view key) const { return metadata_.text(full(key)); }
  std::int64_t needed(std::string_view key) {
    const auto value = integer(key);
    if (!value || *value < 1) fail(fmt::format("{} is missing or not a number from 1", full(key)));
    return value.value_or(1);
  }
  void fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const GgufMetadata& metadata_;
  std::string prefix_;
  std::string error_;
};

std::int64_t head_dim(Keys& keys) {
  const std::int64_t heads = std::max(std::int64_t{1}, keys.needed("attention.head_count"));
  const std::int64_t size = keys.integer("attention.key_length").value_or(keys.needed("embedding_length") / heads);
  const std::int64_t values = keys.integer("attention.value_length").value_or(size);
  if (values != size) keys.fail(fmt::format("values of {} beside keys of {} are not supported", values, size));
  return std::max(std::int64_t{1}, size);
}

void add_llama(Keys& keys, const GgufTensorFacts& facts, Json& out) {
  out["attention_bias"] = facts.attention_bias;
  out["mlp_bias"] = facts.mlp_bias;
  if (keys.integer("expert_count").value_or(0) > 0) keys.fail("a mixture of experts of this family is not supported");
  // Files of Mistral's models are of this architecture too; only a window tells them from others.
  if (const auto window = keys.integer("attention.sliding_window"); window && *window > 0) {
    out["architectures"] = Json::array({"MistralForCausalLM"});
    out["model_type"] = "mistral";
    out["sliding_window"] = *window;
  }
}

void add_qwen2(Keys&, const GgufTensorFacts&, Json& out) { out["use_sliding_window"] = false; }

void add_qwen3(Keys&, const GgufTensorFacts& facts, Json& out) {
  out["attention_bias"] = facts.attention_bias;
  out["use_sliding_window"] = false;
}

void add_qwen3_moe(Keys& keys, const GgufTensorFacts& facts, Json& out) {
  add_qwen3(keys, facts, out);
  out.update({{"num_experts", keys.needed("expert_count")},
              {"num_experts_per_tok", keys.needed("expert_used_count")},
              {"moe_intermediate_size", keys.needed("expert_feed_forward_length")},
              {"norm_topk_prob", true},
              {"decoder_sparse_step", 1}});
}

void add_starcoder2(Keys& keys, const GgufTensorFacts&, Json& out) {
  // Converters drop the window that every published StarCoder2 was trained with.
  constexpr std::int64_t kPublishedWindow = 4096;
  out["hidden_act"] = "gelu_pytorch_tanh";
  out["use_bias"] = true;
  out["sliding_window"] = keys.integer("attention.sliding_window").value_or(kPublishedWindow);
}

void add_gemma(Keys&, const GgufTensorFacts&, Json& out) {
  out["hidden_act"] = out["hidden_activation"] = "gelu_pytorch_tanh";
}

void add_granite(Keys& keys, const GgufTensorFacts& facts, Json& out) {
  out["attention_bias"] = facts.attention_bias;
  out["mlp_bias"] = facts.mlp_bias;
  out["embedding_multiplier"] = keys.number("embedding_scale").value_or(1);
  out["residual_multiplier"] = keys.number("residual_scale").value_or(1);
  out["logits_scaling"] = keys.number("logit_scale").value_or(1);
  out["attention_multiplier"] =
      keys.number("attention.scale").value_or(1 / std::sqrt(static_cast<double>(head_dim(keys))));
}

void add_gpt2(Keys&, const GgufTensorFacts&, Json& out) { out["activation_function"] = "gelu_new"; }

void add_big_code(Keys&, const GgufTensorFacts&, Json& out) {
  out["activation_function"] = "gelu_pytorch_tanh";
  out["multi_query"] = true;
}

constexpr std::array kRows{
    // CodeLlama, DeepSeek-Coder v1, Codestral, Mellum 4B, Granite-code 3B and 8B and many others.
    Row{.gguf = "llama",
        .name = "LlamaForCausalLM",
        .model_type = "llama",
        .eps_field = "rms_norm_eps",
        .add = add_llama},
    Row{.gguf = "qwen2",
        .name = "Qwen2ForCausalLM",
        .model_type = "qwen2",
        .eps_field = "rms_norm_eps",
        .add = add_qwen2},
    Row{.gguf = "qwen3",
        .name = "Qwen3ForCausalLM",
        .model_type = "qwen3",
        .eps_field = "rms_norm_eps",
        .add = add_qwen3},
    Row{.gguf = "qwen3moe",
        .name = "Qwen3MoeForCausalLM",
        .model_type = "qwen3_moe",
        .eps_field = "rms_norm_eps",
        .add = add_qwen3_moe},
    Row{.gguf = "starcoder2",
        .name = "Starcoder2ForCausalLM",
        .model_type = "starcoder2",
        .eps_field = "norm_epsilon",
        .layer_norm = true,
        .add = add_starcoder2},
    Row{.gguf = "gemma",
        .name = "GemmaForCausalLM",
        .model_type = "gemma",
        .eps_field = "rms_norm_eps",
        .add = add_gemma},
    Row{.gguf = "granite",
        .name = "GraniteForCausalLM",
        .model_type = "granite",
        .eps_field = "rms_norm_eps",
        .add = add_granite},
    Row{.gguf = "gpt2",
        .name = "GPT2LMHeadModel",
        .model_type = "gpt2",
        .eps_field = "layer_norm_epsilon",
        .layer_norm = true,
        .style = Style::kGpt2,
        .add = add_gpt2},
    // StarCoder, SantaCoder, Granite-code 20B and 34B.
    Row{.gguf = "starcoder",
        .name = "GPTBigCodeForCausalLM",
        .model_type = "gpt_bigcode",
        .eps_field = "layer_norm_epsilon",
        .layer_norm = true,
        .style = Style::kGpt2,
        .add = add_big_code},
};

const Row* find_row(std::string_view architecture) {
  const auto row = std::ranges::find(kRows, architecture, &Row::gguf);
  return row == kRows.end() ? nullptr : &*row;
}

void add_sizes(Keys& keys, Style style, Json& out) {
  const std::int64_t layers = keys.needed("block_count"), hidden = keys.needed("embedding_length"),
                     heads = keys.needed("attention.head_count"), positions = keys.needed("context_length"),
                     inner = keys.needed("feed_forward_length");
  if (style == Style::kGpt2) {
    out.update(
        {{"n_layer", layers}, {"n_embd", hidden}, {"n_head", heads}, {"n_positions", positions}, {"n_inner", inner}});
    return;
  }
  out.update({{"num_hidden_layers", layers},
              {"hidden_size", hidden},
              {"num_attention_heads", heads},
              {"num_key_value_heads", keys.integer("attention.head_count_kv").value_or(heads)},
              {"head_dim", head_dim(keys)},
              {"intermediate_size", inner},
              {"max_position_embeddings", positions}});
}

// What Llama 3 divides the frequency of features 2i and 2i + 1 by.
double llama3_divisor(std::size_t i, double theta, std::int64_t dim, double factor) {
  constexpr double kLow = 1, kHigh = 4, kOriginal = 8192;
  const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
  const double turns = kOriginal * frequency / (2 * std::numbers::pi);  // over what was trained
  if (turns > kHigh) return 1;
  if (turns < kLow) return factor;
  const double smooth = (turns - kLow) / (kHigh - kLow);
  return 1 / ((1 - smooth) / factor + smooth);
}

// A file has the divisors alone. They are taken for Llama 3's where its numbers give the same.
void add_llama3_scaling(Keys& keys, const std::vector<float>& divisors, double theta, Json& out) {
  const double factor = *std::ranges::max_element(divisors);
  if (factor == 1 && std::ranges::min(divisors) == 1) return;
  const std::int64_t dim = 2 * static_cast<std::int64_t>(divisors.size());
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    constexpr double kTolerance = 1e-3;
    const double expected = llama3_divisor(i, theta, dim, factor);
    if (!(std::abs(divisors[i] - expected) <= kTolerance * expected)) {
      keys.fail(
          fmt::format("rope_freqs.weight is not Llama 3's: entry {} is {}, expected {}", i, divisors[i], expected));
      return;
    }
  }
  out["rope_scaling"] = {{"rope_type", "llama3"},
                         {"factor", factor},
                         {"low_freq_factor", 1.0},
                         {"high_freq_factor", 4.0},
                         {"original_max_position_embeddings", 8192}};
}

void add_yarn(Keys& keys, double factor, Json& scaling) {
  scaling["rope_type"] = "yarn";
  if (const auto original = keys.integer("rope.scaling.original_context_length")) {
    scaling["original_max_position_embeddings"] = *original;
  } else {
    keys.fail(fmt::format("{} is missing", keys.full("rope.scaling.original_context_length")));
  }
  if (const auto fast = keys.number("rope.scaling.yarn_beta_fast")) scaling["beta_fast"] = *fast;
  if (const auto slow = keys.number("rope.scaling.yarn_beta_slow")) scaling["beta_slow"] = *slow;
  const double of_file =
      keys.number("rope.scaling.yarn_attn_factor").value_or(keys.number("rope.scaling.attn_factor").value_or(1));
  // The file's is beside YaRN's own, config.json's in its place.
  if (of_file != 1) scaling["attention_factor"] = of_file * (0.1 * std::log(std::max(factor, 1.0)) + 1);
}

void add_rotary(Keys& keys, const GgufTensorFacts& facts, Json& out) {
  constexpr double kUsualTheta = 10000;
  const double theta = keys.number("rope.freq_base").value_or(kUsualTheta);
  out["rope_theta"] = theta;
  const std::int64_t size = head_dim(keys), rotated = keys.integer("rope.dimension_count").value_or(size);
  if (rotated != size) out["partial_rotary_factor"] = static_cast<double>(rotated) / static_cast<double>(size);
  if (!facts.rope_factors.empty()) return add_llama3_scaling(keys, facts.rope_factors, theta, out);

  const double factor = keys.number("rope.scaling.factor").value_or(keys.number("rope.scale_linear").value_or(1));
  std::string type = keys.text("rope.scaling.type");
  // Old files had a factor alone.
  if (type.empty() && factor != 1) type = "linear";
  if (type.empty() || type == "none" || (type == "linear" && factor == 1)) return;
  Json scaling = {{"factor", factor}};
  if (type == "linear") {
    scaling["rope_type"] = "linear";
  } else if (type == "yarn") {
    add_yarn(keys, factor, scaling);
  } else {
    keys.fail(
        fmt::format("{} '{}' is not supported, only none, linear and yarn are", keys.full("rope.scaling.type"), type));
  }
  out["rope_scaling"] = std::move(scaling);
}

Expected<void> add_ids(const GgufMetadata& metadata, Json& out) {
  if (metadata.find<std::vector<std::string>>("tokenizer.ggml.tokens") == nullptr) return {};
  const auto tokenizer = gguf_tokenizer(metadata);
  if (!tokenizer) return tokenizer.error();
  // parse_model_config puts what stands here in front of every prompt.
  if (tokenizer->adds_bos) out["bos_token_id"] = *tokenizer->bos;
  if (!tokenizer->ends.empty()) out["eos_token_id"] = tokenizer->ends;
  return {};
}

}  // namespace

bool is_known_gguf(std::string_view architecture) { return find_row(architecture) != nullptr; }

std::string known_gguf_architectures() {
  std::string out;
  for (const Row& row : kRows) out.append(out.empty() ? "" : ", ").append(row.gguf);
  return out;
}

Expected<std::string> gguf_config_json(const GgufMetadata& metadata, const GgufTensorFacts& facts) {
  const std::string architecture = metadata.architecture();
  const Row* row = find_row(architecture);
  if (row == nullptr) {
    return make_error("general.architecture '{}' is not known, known are {}", architecture, known_gguf_architectures());
  }
  Keys keys(metadata, architecture);
  Json out = {{"architectures", Json::array({row->name})}, {"model_type", row->model_type}};
  if (const std::string name = metadata.text("general.name"); !name.empty()) out["_name_or_path"] = name;
  add_sizes(keys, row->style, out);
  out["vocab_size"] = facts.vocabulary;
  const char* eps = row->layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
  if (const auto value = keys.number(eps)) out[std::string(row->eps_field)] = *value;
  out["tie_word_embeddings"] = !facts.has_head;
  if (row->style == Style::kLlama) add_rotary(keys, facts, out);
  row->add(keys, facts, out);
  if (!keys.error().empty()) return Error{keys.error()};
  if (auto ids = add_ids(metadata, out); !ids) return ids.error();
  // What is not UTF-8 in a name would make dump() throw.
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weft::model
