// All weights of a model as what training changes: fp32 leaves by their names in the checkpoint, in the order of
// weight_specs. Of decoders and encoder-decoders alike. Training thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/train/optimizer.h"
#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/layers/transformer.h"

namespace weft::adapters {

// Drawn from N(0, 0.02²), those that write to the residual stream scaled down by its depth (Radford et al. 2019).
std::vector<Parameter> draw_weights(const model::ModelConfig& config, std::uint64_t seed);
// Those of a model directory. Error: one is missing or has another shape than the configuration says.
Expected<std::vector<Parameter>> read_weights(const model::ModelConfig& config, const std::string& directory);

// For one pass: the weights in bf16 where the processor multiplies it, else in fp32, with a graph to the leaves.
model::WeightLookup cast_for_pass(const std::vector<Parameter>& weights);

// Writes config.json, model.safetensors in bf16 and copies of the files that are the tokenizer of
// the directory `tokenizer`. Error: what cannot be written.
Expected<void> package_model(const model::ModelConfig& config, const std::vector<Parameter>& weights,
                             const std::string& directory, const std::string& tokenizer);

}  // namespace weft::adapters
