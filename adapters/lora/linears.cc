#include "adapters/lora/linears.h"

#include <fmt/format.h>

namespace weft::adapters {

std::vector<LinearShape> adaptable_linears(const model::ModelConfig& config) {
  const std::int64_t hidden = config.hidden, inner = config.intermediate;
  const std::int64_t query = std::int64_t{config.heads} * config.head_dim;
  const std::int64_t key_value = std::int64_t{config.kv_heads} * config.head_dim;
  std::vector<LinearShape> out;
  for (int layer = 0; layer < config.layers; ++layer) {
    const auto add = [&](std::string_view part, std::int64_t in, std::int64_t features) {
      out.push_back({fmt::format("model.layers.{}.{}", layer, part), in, features});
    };
    add("self_attn.q_proj", hidden, query);
    add("self_attn.k_proj", hidden, key_value);
    add("self_attn.v_proj", hidden, key_value);
    add("self_attn.o_proj", query, hidden);
    add("mlp.gate_proj", hidden, inner);
    add("mlp.up_proj", hidden, inner);
    add("mlp.down_proj", inner, hidden);
  }
  return out;
}

}  // namespace weft::adapters
