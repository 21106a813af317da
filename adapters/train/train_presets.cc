// The presets, by what they cost with a base of ten million parameters on two cores: minutes, about an hour, a night.
#include <algorithm>
#include <array>

#include "adapters/train/train_adapter.h"

namespace weft::adapters {
namespace {

constexpr std::array<TrainPreset, 3> kPresets = {{
    {.name = "smallest",
     .summary = "a first impression, in minutes",
     .rank = 8,
     .alpha = 16,
     .learning_rate = 2e-3,
     .full_learning_rate = 5e-4,
     .max_steps = 150,
     .max_epochs = 3,
     .batch_tokens = 4096,
     .example_tokens = 768,
     .evaluate_every_steps = 25,
     .patience = 3,
     .max_held_out = 120},
    {.name = "balanced",
     .summary = "an adapter to work with, in about an hour",
     .rank = 16,
     .alpha = 32,
     .learning_rate = 1e-3,
     .full_learning_rate = 3e-4,
     .max_steps = 800,
     .max_epochs = 6,
     .batch_tokens = 8192,
     .example_tokens = 1024,
     .evaluate_every_steps = 50,
     .patience = 4,
     .max_held_out = 240},
    {.name = "best",
     .summary = "as good as the data allows, over night",
     .rank = 32,
     .alpha = 64,
     .learning_rate = 1e-3,
     .full_learning_rate = 2e-4,
     .max_steps = 4000,
     .max_epochs = 10,
     .batch_tokens = 16384,
     .example_tokens = 1536,
     .evaluate_every_steps = 100,
     .patience = 6,
     .max_held_out = 480},
}};

}  // namespace

std::span<const TrainPreset> train_presets() { return kPresets; }

const TrainPreset* find_train_preset(std::string_view name) {
  const auto* row = std::ranges::find(kPresets, name, &TrainPreset::name);
  return row == kPresets.end() ? nullptr : row;
}

std::string known_train_presets() {
  std::string names;
  for (const TrainPreset& preset : kPresets) names += (names.empty() ? "" : ", ") + std::string(preset.name);
  return names;
}

}  // namespace weft::adapters
