#include "model/config/model_config.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/config/encoder_decoder_config.h"
#include "model/config/json_fields.h"

namespace weft::model {
namespace {

constexpr JsonFields::Limits kLayers{1, 1024}, kHidden{1, 1 << 17}, kHeads{1, 1 << 10}, kHeadDim{2, 1 << 10},
    kIntermediate{1, 1 << 20}, kVocabulary{1, 1 << 22}, kPositions{1, 1 << 24};

const Architecture* read_architecture(JsonFields& fields) {
  std::string name = fields.text("model_type", "");
  if (const nlohmann::json* list = fields.find("architectures")) {
    if (!list->is_array() || list->empty() || !(*list)[0].is_string()) {
      fields.fail("architectures is not a list of names");
      return nullptr;
    }
    name = (*list)[0].get<std::string>();
  }
  const Architecture* row = find_architecture(name);
  if (row == nullptr) fields.fail(fmt::format("unknown architecture '{}', known are {}", name, known_architectures()));
  return row;
}

void read_sizes(JsonFields& fields, ModelConfig& config) {
  config.layers = fields.integer("num_hidden_layers", kLayers);
  config.hidden = fields.integer("hidden_size", kHidden);
  config.heads = fields.integer("num_attention_heads", kHeads);
  config.kv_heads = fields.integer("num_key_value_heads", kHeads, config.heads);
  config.intermediate = fields.integer("intermediate_size", kIntermediate);
  config.vocabulary = fields.integer("vocab_size", kVocabulary);
  config.max_positions = fields.integer("max_position_embeddings", kPositions);
  if (fields.failed()) return;
  if (config.heads % config.kv_heads != 0) {
    fields.fail(fmt::format("num_attention_heads {} is not divisible by num_key_value_heads {}", config.heads,
                            config.kv_heads));
  }
  if (config.architecture->explicit_head_dim || fields.find("head_dim") != nullptr) {
    config.head_dim = fields.integer("head_dim", kHeadDim);
  } else if (config.hidden % config.heads != 0) {
    fields.fail(fmt::format("head_dim is missing and hidden_size {} is not divisible by num_attention_heads {}",
                            config.hidden, config.heads));
  } else {
    config.head_dim = config.hidden / config.heads;
  }
  if (!fields.failed() && (config.head_dim < kHeadDim.least || config.head_dim > kHeadDim.most)) {
    fields.fail(fmt::format("hidden_size {} over num_attention_heads {} gives heads of {}, expected {} to {}",
                            config.hidden, config.heads, config.head_dim, kHeadDim.least, kHeadDim.most));
  }
  if (config.head_dim % 2 != 0) fields.fail(fmt::format("head_dim {} is odd: rotary needs pairs", config.head_dim));
}

// rope_parameters is what newer transformers write: rope_theta and what was rope_scaling in one object.
void read_rotary(JsonFields& fields, ModelConfig& config) {
  constexpr double kLargestTheta = 1e12;
  config.rope_theta = fields.number("rope_theta", 0.0, kLargestTheta, config.rope_theta);
  for (const std::string_view name : {"rope_scaling", "rope_parameters"}) {
    const nlohmann::json* object = fields.find(name);
    if (object == nullptr) continue;
    if (!object->is_object()) {
      fields.fail(fmt::format("{} is not an object", name));
      return;
    }
    JsonFields inner(*object);
    const std::string type = inner.text("rope_type", inner.text("type", "default"));
    config.rope_theta = inner.number("rope_theta", 0.0, kLargestTheta, config.rope_theta);
    if (inner.failed()) fields.fail(fmt::format("{}: {}", name, inner.error().message));
    if (type != "default") {
      fields.fail(fmt::format("{} of type '{}' is not supported, only 'default' is", name, type));
    }
  }
  if (fields.number("partial_rotary_factor", 0.0, 1.0, 1.0) < 1.0) {
    fields.fail("partial_rotary_factor below 1 is not supported");
  }
}

// What would change the numbers and is not built is refused, never ignored.
void refuse_unsupported(JsonFields& fields) {
  const std::string activation = fields.text("hidden_act", "silu");
  if (activation != "silu") fields.fail(fmt::format("hidden_act '{}' is not supported, only 'silu' is", activation));
  if (fields.flag("use_sliding_window", false)) fields.fail("use_sliding_window is not supported");
  for (const std::string& type : fields.texts("layer_types")) {
    if (type != "full_attention") {
      fields.fail(fmt::format("layer_types '{}' is not supported, only 'full_attention' is", type));
    }
  }
  if (fields.find("quantization_config") != nullptr) fields.fail("quantization_config is not supported");
}

void read_biases(JsonFields& fields, ModelConfig& config) {
  config.tied = fields.flag("tie_word_embeddings", config.architecture->tied_by_default);
  config.qkv_bias = config.architecture->qkv_bias;
  if (!config.architecture->bias_options) return;
  config.qkv_bias = config.output_bias = fields.flag("attention_bias", config.qkv_bias);
  // Only transformers' Llama has biases in its MLP; a Qwen3 never writes the key.
  config.mlp_bias = fields.flag("mlp_bias", false);
}

void read_decoder(JsonFields& fields, ModelConfig& config) {
  read_sizes(fields, config);
  read_rotary(fields, config);
  config.norm_eps = fields.number("rms_norm_eps", 0.0, 1.0, config.norm_eps);
  refuse_unsupported(fields);
  read_biases(fields, config);
}

void read_fim(JsonFields& fields, FimFormat& fim) {
  const nlohmann::json* object = fields.find("weft_fim");
  if (object == nullptr) return;
  if (!object->is_object()) {
    fields.fail("weft_fim is not an object");
    return;
  }
  JsonFields inner(*object);
  fim.prefix = inner.text("prefix", "");
  fim.suffix = inner.text("suffix", "");
  fim.middle = inner.text("middle", "");
  fim.stops = inner.texts("stops");
  const std::string layout = inner.text("layout", "psm");
  if (layout != "psm" && layout != "spm") inner.fail(fmt::format("layout '{}' is unknown, known are psm, spm", layout));
  fim.layout = layout == "spm" ? FimLayout::kSpm : FimLayout::kPsm;
  if (fim.prefix.empty() || fim.suffix.empty() || fim.middle.empty()) inner.fail("prefix, suffix or middle is missing");
  if (inner.failed()) fields.fail(fmt::format("weft_fim: {}", inner.error().message));
}

void write_decoder(const ModelConfig& config, nlohmann::ordered_json& out) {
  out.update({{"num_hidden_layers", config.layers},
              {"hidden_size", config.hidden},
              {"num_attention_heads", config.heads},
              {"num_key_value_heads", config.kv_heads},
              {"head_dim", config.head_dim},
              {"intermediate_size", config.intermediate},
              {"vocab_size", config.vocabulary},
              {"max_position_embeddings", config.max_positions},
              {"hidden_act", "silu"},
              {"rope_theta", config.rope_theta},
              {"rms_norm_eps", config.norm_eps},
              {"tie_word_embeddings", config.tied}});
  if (config.architecture->bias_options) {
    out["attention_bias"] = config.qkv_bias;
    out["mlp_bias"] = config.mlp_bias;
  }
}

}  // namespace

std::size_t ModelConfig::parameters() const {
  if (encoder) return encoder_decoder_parameters(*this);
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  const std::size_t h = size(hidden), q = size(heads) * size(head_dim), kv = size(kv_heads) * size(head_dim);
  const std::size_t inner = size(intermediate);
  std::size_t block = h * (2 * q + 2 * kv) + 3 * h * inner + 2 * h;
  if (qkv_bias) block += q + 2 * kv;
  if (output_bias) block += h;
  if (mlp_bias) block += 2 * inner + h;
  if (architecture != nullptr && architecture->qk_norm) block += 2 * size(head_dim);
  return size(layers) * block + size(vocabulary) * h * (tied ? 1 : 2) + h;
}

Expected<ModelConfig> parse_model_config(std::string_view json, std::string_view directory_name) {
  const nlohmann::json object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Error{"config.json is not a JSON object"};
  JsonFields fields(object);
  ModelConfig config;
  config.architecture = read_architecture(fields);
  if (config.architecture == nullptr) return make_error("config.json: {}", fields.error().message);
  config.name = fields.text("_name_or_path", "");
  if (config.name.empty()) config.name = directory_name;
  if (config.architecture->encoder_decoder) {
    read_encoder_decoder(fields, config);
  } else {
    read_decoder(fields, config);
  }
  read_fim(fields, config.fim);
  config.eos = fields.ids("eos_token_id", config.vocabulary);
  if (config.encoder && !config.eos.empty()) config.encoder->end = config.eos.front();
  const auto bos = fields.ids("bos_token_id", config.vocabulary);
  if (config.architecture->adds_bos && !bos.empty()) config.bos = bos.front();
  if (fields.failed()) return make_error("config.json: {}", fields.error().message);
  return config;
}

Expected<ModelConfig> read_model_config(const std::string& directory) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::weakly_canonical(directory, ignored);
  const std::string path = (std::filesystem::path(directory) / "config.json").string();
  std::ifstream in(path, std::ios::binary);
  if (!in) return make_error("cannot read {}: {}", path, std::generic_category().message(errno));
  const std::string json{std::istreambuf_iterator<char>(in), {}};
  auto config = parse_model_config(json, folder.filename().string());
  if (!config) return make_error("{}: {}", directory, config.error().message);
  return config;
}

std::string to_json(const ModelConfig& config) {
  WEFT_CHECK(config.architecture != nullptr);
  nlohmann::ordered_json out = {{"_name_or_path", config.name},
                                {"architectures", {config.architecture->name}},
                                {"model_type", config.architecture->model_type}};
  if (config.encoder) {
    write_encoder_decoder(config, out);
  } else {
    write_decoder(config, out);
  }
  if (config.bos >= 0) out["bos_token_id"] = config.bos;
  if (!config.eos.empty()) out["eos_token_id"] = config.eos;
  if (config.fim.available()) {
    out["weft_fim"] = {{"prefix", config.fim.prefix},
                       {"suffix", config.fim.suffix},
                       {"middle", config.fim.middle},
                       {"layout", config.fim.layout == FimLayout::kSpm ? "spm" : "psm"},
                       {"stops", config.fim.stops}};
  }
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weft::model
