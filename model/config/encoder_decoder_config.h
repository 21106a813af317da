// The part of config.json that T5 and its kin write in their own names. For model_config.cc alone. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "model/config/json_fields.h"
#include "model/config/model_config.h"

namespace weft::model {

// Fills the sizes, the feed-forward's kind and `encoder` of a config whose row is an encoder-decoder.
void read_encoder_decoder(JsonFields& fields, ModelConfig& config);
// The same fields, such that transformers reads them back.
void write_encoder_decoder(const ModelConfig& config, nlohmann::ordered_json& out);

}  // namespace weft::model
