// The part of config.json that decoders write: in Llama's names of fields or in GPT-2's. For model_config.cc alone.
// Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "model/config/json_fields.h"
#include "model/config/model_config.h"

namespace weft::model {

inline constexpr JsonFields::Limits kLayersLimits{1, 1024}, kHiddenLimits{1, 1 << 17}, kHeadsLimits{1, 1 << 10},
    kHeadDimLimits{2, 1 << 10}, kIntermediateLimits{1, 1 << 20}, kVocabularyLimits{1, 1 << 22},
    kPositionsLimits{1, 1 << 24};

// Fills what a decoder has, by its row of the table. What would change the numbers and is not built is refused by name.
void read_decoder(JsonFields& fields, ModelConfig& config);
// The same fields, such that transformers reads them back.
void write_decoder(const ModelConfig& config, nlohmann::ordered_json& out);

// config.head_dim is set. Fills rotary and window_rotary from rope_theta, rope_scaling and rope_parameters.
void read_rotary(JsonFields& fields, ModelConfig& config);
void write_rotary(const ModelConfig& config, nlohmann::ordered_json& out);

}  // namespace weft::model
