#include "model/config/model_config.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "model/config/decoder_config.h"
#include "model/config/encoder_decoder_config.h"
#include "model/config/json_fields.h"
#include "model/config/weight_specs.h"

namespace weft::model {
namespace {

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
  if (row == nullptr) fields.fail(why_unknown(name));
  return row;
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

}  // namespace

LayerConfig ModelConfig::layer(int index) const {
  const auto at = static_cast<std::size_t>(index);
  return at < layer_configs.size() ? layer_configs[at] : LayerConfig{};
}

double ModelConfig::attention_scale() const {
  return attention_multiplier > 0 ? attention_multiplier : 1.0 / std::sqrt(static_cast<double>(head_dim));
}

std::size_t ModelConfig::parameters() const {
  std::size_t sum = 0;
  for (const WeightSpec& spec : weight_specs(*this)) {
    sum += static_cast<std::size_t>(
        std::accumulate(spec.shape.begin(), spec.shape.end(), std::int64_t{1}, std::multiplies<>()));
  }
  return sum;
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
