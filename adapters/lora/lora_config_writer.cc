#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "adapters/lora/lora_config.h"

namespace weft::adapters {
namespace {

using nlohmann::json;

// 16 rather than 16.0, as PEFT has it.
json number(double value) {
  const double whole = std::round(value);
  if (std::abs(value - whole) < 1e-9 * std::max(1.0, std::abs(value))) return static_cast<std::int64_t>(whole);
  return value;
}

struct Shared {
  json most;                     // what most modules have
  json others = json::object();  // module -> value
};

Shared share(const std::map<std::string, json>& by_module) {
  std::map<std::string, std::size_t> counts;
  Shared out;
  std::size_t best = 0;
  for (const auto& [module, value] : by_module) {
    const std::size_t count = ++counts[value.dump()];
    if (count > best) {
      best = count;
      out.most = value;
    }
  }
  for (const auto& [module, value] : by_module) {
    if (value != out.most) out.others[module] = value;
  }
  return out;
}

}  // namespace

std::string to_json(const AdapterFiles& files) {
  std::map<std::string, json> ranks, alphas;
  json modules = json::array();
  for (const model::LoraDelta& delta : files.adapter.deltas) {
    modules.push_back(delta.module);
    ranks[delta.module] = delta.rank;
    alphas[delta.module] = number(delta.scaling * static_cast<double>(delta.rank));
  }
  const Shared rank = share(ranks), alpha = share(alphas);
  const AdapterInfo& info = files.info;
  const json own = {{"task", info.task},
                    {"base_name", info.base_name},
                    {"base_sha256", info.base_sha256},
                    {"threshold", info.threshold}};
  const json config = {{"peft_type", "LORA"},
                       {"task_type", "CAUSAL_LM"},
                       {"base_model_name_or_path", info.base_name.empty() ? json() : json(info.base_name)},
                       {"r", rank.most},
                       {"lora_alpha", alpha.most},
                       {"rank_pattern", rank.others},
                       {"alpha_pattern", alpha.others},
                       {"target_modules", modules},
                       {"lora_dropout", 0.0},
                       {"bias", "none"},
                       {"fan_in_fan_out", false},
                       {"init_lora_weights", true},
                       {"inference_mode", true},
                       {"modules_to_save", nullptr},
                       {"use_dora", false},
                       {"use_rslora", false},
                       {"weft", own}};
  return config.dump(2) + "\n";
}

}  // namespace weft::adapters
