// adapter_config.json: which linears of a base an adapter changes, by what rank and scaling. Every field that PEFT
// knows is either understood here, or harmless when weights are only read, or refused by name once it is set. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/lora/peft.h"
#include "model/config/weight_specs.h"

namespace weft::adapters {

struct ModuleRank {
  model::AdaptableLinear linear;
  std::int64_t rank = 0;
  double scaling = 1;  // alpha / rank, or alpha / sqrt(rank) for rsLoRA (Kalajdzievski 2023)
};

struct LoraConfig {
  AdapterInfo info;                 // without the folder's name
  std::vector<ModuleRank> modules;  // at least one, in the order of adaptable_linears
};

// Errors: not JSON, a field of another type, an option that weft cannot honour, a target that the base does not have,
// or none at all.
Expected<LoraConfig> parse_lora_config(std::string_view json, const model::ModelConfig& base);

// What PEFT reads as the same adapter: rank and alpha of most modules, and patterns for the others.
[[nodiscard]] std::string to_json(const AdapterFiles& files);

}  // namespace weft::adapters
