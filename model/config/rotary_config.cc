// rope_theta and rope_scaling, as transformers wrote them until its version 4, and rope_parameters, which holds both
// since, of all layers or of each kind of layers.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/base/check.h"
#include "model/config/decoder_config.h"

namespace weft::model {
namespace {

using Scaling = RotaryConfig::Scaling;

struct ScalingRow {
  std::string_view name;  // rope_type
  Scaling scaling;
};
constexpr std::array<ScalingRow, 4> kScalings{{{"default", Scaling::kNone},
                                               {"linear", Scaling::kLinear},
                                               {"llama3", Scaling::kLlama3},
                                               {"yarn", Scaling::kYarn}}};
constexpr double kLargestTheta = 1e12, kLargestFactor = 1e6;
constexpr std::string_view kFull = "full_attention", kWindowed = "sliding_attention";

// What YaRN multiplies cosine and sine by, so that attention stays as sharp over the longer context.
double yarn_attention(JsonFields& fields, double factor) {
  const auto sharpness = [factor](double weight) { return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0; };
  const double mscale = fields.number("mscale", 0.0, kLargestFactor, 0.0);
  const double of_all = fields.number("mscale_all_dim", 0.0, kLargestFactor, 0.0);
  const double usual = mscale > 0 && of_all > 0 ? sharpness(mscale) / sharpness(of_all) : sharpness(1);
  return fields.number("attention_factor", 0.0, kLargestFactor, usual);
}

void read_scaling(JsonFields& fields, const ModelConfig& config, RotaryConfig& rotary) {
  const std::string type = fields.text("rope_type", fields.text("type", "default"));
  const auto row = std::ranges::find(kScalings, type, &ScalingRow::name);
  if (row == kScalings.end()) {
    std::string known;
    for (const ScalingRow& each : kScalings) known.append(known.empty() ? "" : ", ").append(each.name);
    fields.fail(fmt::format("type '{}' is not supported, only {} are", type, known));
    return;
  }
  rotary.scaling = row->scaling;
  if (rotary.scaling == Scaling::kNone) return;
  if (fields.find("factor") == nullptr) fields.fail("factor is missing");
  rotary.factor = fields.number("factor", 0.0, kLargestFactor, 1.0);
  rotary.original_positions =
      fields.integer("original_max_position_embeddings", kPositionsLimits, config.max_positions);
  if (rotary.scaling == Scaling::kLlama3) {
    rotary.low_frequency_factor = fields.number("low_freq_factor", 0.0, kLargestFactor, rotary.low_frequency_factor);
    rotary.high_frequency_factor = fields.number("high_freq_factor", 0.0, kLargestFactor, rotary.high_frequency_factor);
    if (rotary.high_frequency_factor <= rotary.low_frequency_factor) {
      fields.fail(fmt::format("high_freq_factor {} is not above low_freq_factor {}", rotary.high_frequency_factor,
                              rotary.low_frequency_factor));
    }
  }
  if (rotary.scaling == Scaling::kYarn) {
    rotary.beta_fast = fields.number("beta_fast", 0.0, kLargestFactor, rotary.beta_fast);
    rotary.beta_slow = fields.number("beta_slow", 0.0, kLargestFactor, rotary.beta_slow);
    rotary.truncated = fields.flag("truncate", true);
    rotary.attention_factor = yarn_attention(fields, rotary.factor);
  }
}

// `part` of a head's features, an even number of them.
int rotated(JsonFields& fields, const ModelConfig& config, double part) {
  const int dim = static_cast<int>(config.head_dim * part);
  if (dim < 2 || dim % 2 != 0) {
    fields.fail(fmt::format("{} features of a head_dim of {} are rotated: rotary needs pairs", dim, config.head_dim));
  }
  return dim;
}

void read_object(JsonFields& fields, std::string_view name, const nlohmann::json& object, const ModelConfig& config,
                 RotaryConfig& rotary) {
  JsonFields inner(object);
  rotary.theta = inner.number("rope_theta", 0.0, kLargestTheta, rotary.theta);
  if (inner.find("partial_rotary_factor") != nullptr) {
    rotary.dim = rotated(inner, config, inner.number("partial_rotary_factor", 0.0, 1.0, 1.0));
  }
  read_scaling(inner, config, rotary);
  if (inner.failed()) fields.fail(fmt::format("{}: {}", name, inner.error().message));
}

nlohmann::ordered_json to_json(const RotaryConfig& rotary, int head_dim) {
  const auto row = std::ranges::find(kScalings, rotary.scaling, &ScalingRow::scaling);
  WEFT_CHECK(row != kScalings.end());
  nlohmann::ordered_json out = {{"rope_type", row->name}, {"rope_theta", rotary.theta}};
  if (rotary.dim != head_dim) out["partial_rotary_factor"] = static_cast<double>(rotary.dim) / head_dim;
  if (rotary.scaling == Scaling::kNone) return out;
  out["factor"] = rotary.factor;
  out["original_max_position_embeddings"] = rotary.original_positions;
  if (rotary.scaling == Scaling::kLlama3) {
    out["low_freq_factor"] = rotary.low_frequency_factor;
    out["high_freq_factor"] = rotary.high_frequency_factor;
  }
  if (rotary.scaling == Scaling::kYarn) {
    out.update({{"beta_fast", rotary.beta_fast},
                {"beta_slow", rotary.beta_slow},
                {"truncate", rotary.truncated},
                {"attention_factor", rotary.attention_factor}});
  }
  return out;
}

}  // namespace

void read_rotary(JsonFields& fields, ModelConfig& config) {
  RotaryConfig& rotary = config.rotary;
  rotary.theta = fields.number("rope_theta", 0.0, kLargestTheta, rotary.theta);
  rotary.dim =
      rotated(fields, config, fields.number("partial_rotary_factor", 0.0, 1.0, config.architecture->partial_rotary));
  config.window_rotary = rotary;
  for (const std::string_view name : {"rope_scaling", "rope_parameters"}) {
    const nlohmann::json* object = fields.find(name);
    if (object == nullptr) continue;
    if (!object->is_object()) {
      fields.fail(fmt::format("{} is not an object", name));
      return;
    }
    if (!object->contains(kFull) && !object->contains(kWindowed)) {
      read_object(fields, name, *object, config, rotary);
      config.window_rotary = rotary;
      continue;
    }
    for (const auto& [kind, inner] : object->items()) {
      if ((kind != kFull && kind != kWindowed) || !inner.is_object()) {
        fields.fail(fmt::format("{}: {} is not known as an object of {} or {}", name, kind, kFull, kWindowed));
        return;
      }
      read_object(fields, fmt::format("{}.{}", name, kind), inner, config,
                  kind == kFull ? rotary : config.window_rotary);
    }
  }
}

void write_rotary(const ModelConfig& config, nlohmann::ordered_json& out) {
  const bool plain = config.rotary.scaling == Scaling::kNone && config.rotary.dim == config.head_dim;
  if (config.window_rotary != config.rotary) {
    out["rope_parameters"] = {{kFull, to_json(config.rotary, config.head_dim)},
                              {kWindowed, to_json(config.window_rotary, config.head_dim)}};
  } else if (plain) {
    out["rope_theta"] = config.rotary.theta;
  } else {
    out["rope_parameters"] = to_json(config.rotary, config.head_dim);
  }
}

}  // namespace weft::model
