#include "adapters/lora/lora_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "adapters/lora/name_pattern.h"
#include "model/config/json_fields.h"
#include "model/config/tensor_names.h"

namespace weft::adapters {
namespace {

using model::JsonFields;
using nlohmann::json;

constexpr std::array<std::string_view, 13> kUnderstood = {
    "peft_type",    "r",    "lora_alpha",    "use_rslora",          "target_modules", "exclude_modules",
    "rank_pattern", "bias", "alpha_pattern", "layers_to_transform", "layers_pattern", "init_lora_weights",
    "weft"};
// Of no consequence for weights that are only read. fan_in_fan_out says how PEFT's base stores its weight, which weft
// knows by itself; A and B are [r, in] and [out, r] either way.
constexpr std::array<std::string_view, 12> kHarmless = {
    "auto_mapping", "base_model_name_or_path", "revision",
    "task_type",    "inference_mode",          "peft_version",
    "lora_dropout", "megatron_core",           "qalora_group_size",
    "eva_config",   "fan_in_fan_out",          "ensure_weight_tying"};
// Initialisations that leave the base as it was; pissa, olora, corda and the like move a part of it into the adapter.
constexpr std::array<std::string_view, 3> kPlainStarts = {"gaussian", "orthogonal", "eva"};
constexpr std::string_view kAllLinear = "all-linear";

template <class List>
bool contains(const List& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

// Linears and embeddings that PEFT could adapt and weft cannot.
std::vector<std::string_view> out_of_reach(const model::ModelConfig& base) {
  const model::TensorNames& names = *base.architecture->names;
  std::vector<std::string_view> out{names.head, names.embedding};
  if (!names.positions.empty()) out.push_back(names.positions);
  return out;
}

bool is_set(const json& value) {
  return !(value.is_null() || value == false || ((value.is_array() || value.is_object()) && value.empty()));
}

std::string shown(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 80); }

Expected<void> refuse_what_cannot_be_honoured(const json& config) {
  for (const auto& [field, value] : config.items()) {
    if (contains(kUnderstood, field) || contains(kHarmless, field) || !is_set(value)) continue;
    return make_error("{} is {}, which weft cannot honour", field, shown(value));
  }
  const json type = config.value("peft_type", json());
  if (type != "LORA") return make_error("peft_type is {}, weft reads LORA", shown(type));
  const json bias = config.value("bias", json("none"));
  if (bias != "none") return make_error("bias is {}, which weft cannot honour: only none", shown(bias));
  const json start = config.value("init_lora_weights", json(true));
  if (start.is_string() && !contains(kPlainStarts, start.get<std::string>())) {
    return make_error("init_lora_weights is {}: such an adapter needs a base that it changed itself", shown(start));
  }
  return {};
}

// target_modules or exclude_modules: names, exact or from a dot on, or one regular expression.
class Names {
 public:
  static Expected<Names> read(const json& config, std::string_view field) {
    Names out;
    const json value = config.value(std::string(field), json());
    if (value.is_string()) {
      std::string text = value.get<std::string>(), lower = text;
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      out.all_ = lower == kAllLinear;
      if (out.all_) return out;
      auto pattern = NamePattern::compile(text);
      if (!pattern) return make_error("{}: {}", field, pattern.error().message);
      out.pattern_ = *std::move(pattern);
      return out;
    }
    JsonFields fields(config);
    out.names_ = fields.texts(field);
    if (fields.failed()) return fields.error();
    return out;
  }

  [[nodiscard]] bool all_linear() const { return all_; }
  [[nodiscard]] Expected<bool> hold(std::string_view module) const {
    if (all_) return true;
    if (pattern_) return pattern_->matches(module);
    return std::ranges::any_of(names_, [&](const std::string& name) {
      return module == name ||
             (module.ends_with(name) && module.size() > name.size() && module[module.size() - name.size() - 1] == '.');
    });
  }

 private:
  bool all_ = false;
  std::optional<NamePattern> pattern_;
  std::vector<std::string> names_;
};

// rank_pattern or alpha_pattern: the first expression, in the file's order, that matches from a dot on.
class Overrides {
 public:
  static Expected<Overrides> read(const nlohmann::ordered_json& config, std::string_view field) {
    Overrides out;
    const auto value = config.value(std::string(field), nlohmann::ordered_json());
    if (value.is_null()) return out;
    if (!value.is_object()) return make_error("{} is no object", field);
    for (const auto& [expression, number] : value.items()) {
      if (!number.is_number() || number.get<double>() <= 0) {
        return make_error("{} of '{}' is not a number above 0", field, expression);
      }
      auto pattern = NamePattern::compile("(?:.*\\.)?(?:" + expression + ")");
      if (!pattern) return make_error("{}: {}", field, pattern.error().message);
      out.rows_.emplace_back(*std::move(pattern), number.get<double>());
    }
    return out;
  }

  [[nodiscard]] Expected<double> of(std::string_view module, double otherwise) const {
    for (const auto& [pattern, number] : rows_) {
      const auto matched = pattern.matches(module);
      if (!matched) return matched.error();
      if (*matched) return number;
    }
    return otherwise;
  }

 private:
  std::vector<std::pair<NamePattern, double>> rows_;
};

// The blocks that layers_to_transform names; empty: all.
Expected<std::vector<std::int32_t>> chosen_layers(const json& config, const model::ModelConfig& base) {
  JsonFields fields(config);
  const json pattern = config.value("layers_pattern", json());
  std::string_view own = base.architecture->names->block;  // "model.layers."
  own.remove_suffix(1);
  own.remove_prefix(own.rfind('.') + 1);
  if (is_set(pattern) && pattern != "" && pattern != own && pattern != json::array({own})) {
    return make_error("layers_pattern is {}, the base has {}", shown(pattern), own);
  }
  std::vector<std::int32_t> out = fields.ids("layers_to_transform", std::max(base.layers, 1));
  if (fields.failed()) return make_error("layers_to_transform names a layer that is not among the {}", base.layers);
  return out;
}

int layer_of(std::string_view module, const model::ModelConfig& base) {
  return std::stoi(std::string(module.substr(base.architecture->names->block.size())));
}

struct Selection {
  Names targets, excluded;
  std::vector<std::int32_t> layers;

  [[nodiscard]] Expected<bool> holds(std::string_view module) const {
    const auto out = excluded.hold(module);
    if (!out || *out) return out ? Expected<bool>(false) : out;
    return targets.hold(module);
  }
};

Expected<std::vector<model::AdaptableLinear>> select(const json& config, const model::ModelConfig& base) {
  auto targets = Names::read(config, "target_modules");
  if (!targets) return targets.error();
  auto excluded = Names::read(config, "exclude_modules");
  if (!excluded) return excluded.error();
  auto layers = chosen_layers(config, base);
  if (!layers) return layers.error();
  const Selection selection{*std::move(targets), *std::move(excluded), *std::move(layers)};
  for (const std::string_view module : out_of_reach(base)) {
    const auto chosen = selection.holds(module);
    if (!chosen) return chosen.error();
    if (*chosen && !selection.targets.all_linear())
      return make_error("target_modules selects {}, which weft cannot adapt", module);
  }
  std::vector<model::AdaptableLinear> out;
  for (model::AdaptableLinear& linear : model::adaptable_linears(base)) {
    const auto chosen = selection.holds(linear.module);
    if (!chosen) return chosen.error();
    const bool layer = selection.layers.empty() ||
                       std::ranges::find(selection.layers, layer_of(linear.module, base)) != selection.layers.end();
    if (*chosen && layer) out.push_back(std::move(linear));
  }
  if (out.empty()) {
    return make_error("target_modules {} selects none of the base's linears",
                      shown(config.value("target_modules", json())));
  }
  return out;
}

AdapterInfo read_info(JsonFields& fields, const json& config) {
  AdapterInfo info;
  info.rank = fields.integer("r", {1, 65536}, 8);
  info.alpha = fields.number("lora_alpha", 0, 1e6, 8);
  info.base_name = fields.text("base_model_name_or_path", "");
  const json own = config.value("weft", json::object());
  if (!own.is_object()) {
    fields.fail("weft is no object");
    return info;
  }
  JsonFields ours(own);
  info.task = ours.text("task", "");
  info.base_name = ours.text("base_name", info.base_name);
  info.base_sha256 = ours.text("base_sha256", "");
  info.threshold = ours.number("threshold", -1e-9, 1, 0);
  if (ours.failed()) fields.fail("weft: " + ours.error().message);
  return info;
}

}  // namespace

Expected<LoraConfig> parse_lora_config(std::string_view text, const model::ModelConfig& base) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) return make_error("not a JSON object");
  if (auto honoured = refuse_what_cannot_be_honoured(config); !honoured) return honoured.error();
  JsonFields fields(config);
  LoraConfig out;
  out.info = read_info(fields, config);
  const bool rank_stabilised = fields.flag("use_rslora", false);
  if (fields.failed()) return fields.error();
  const auto linears = select(config, base);
  if (!linears) return linears.error();
  const auto ordered = nlohmann::ordered_json::parse(text);
  const auto ranks = Overrides::read(ordered, "rank_pattern");
  if (!ranks) return ranks.error();
  const auto alphas = Overrides::read(ordered, "alpha_pattern");
  if (!alphas) return alphas.error();
  for (const model::AdaptableLinear& linear : *linears) {
    const auto rank = ranks->of(linear.module, out.info.rank);
    if (!rank) return rank.error();
    const auto alpha = alphas->of(linear.module, out.info.alpha);
    if (!alpha) return alpha.error();
    if (*rank != std::floor(*rank)) return make_error("rank_pattern gives {} a rank of {}", linear.module, *rank);
    out.modules.push_back(
        {linear, static_cast<std::int64_t>(*rank), *alpha / (rank_stabilised ? std::sqrt(*rank) : *rank)});
  }
  return out;
}

}  // namespace weft::adapters
