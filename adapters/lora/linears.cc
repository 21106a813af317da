#include "adapters/lora/linears.h"

#include "model/config/weight_specs.h"

namespace weft::adapters {

std::vector<LinearShape> adaptable_linears(const model::ModelConfig& config) {
  constexpr std::string_view kWeight = ".weight";
  std::vector<LinearShape> out;
  for (const model::WeightSpec& spec : model::weight_specs(config)) {
    const bool own_tensor = spec.rows == spec.shape.front() && !spec.transposed;
    if (!spec.adaptable || !own_tensor) continue;
    out.push_back({spec.name.substr(0, spec.name.size() - kWeight.size()), spec.shape[1], spec.shape[0]});
  }
  return out;
}

}  // namespace weft::adapters
