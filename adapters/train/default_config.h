// The shape of weft's own small model. Pure.
#pragma once

#include <string>

#include "model/base/expected.h"
#include "model/config/model_config.h"

namespace weft::adapters {

// Qwen3's block at 6.5 M parameters with 8192 pieces: small enough to be trained on a processor.
Expected<model::ModelConfig> default_config(const std::string& name, std::size_t vocabulary);

}  // namespace weft::adapters
