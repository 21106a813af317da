// EvalSubject: an adapter in the engine of its base, ready to be measured.
#pragma once

#include <string>

#include "adapters/lora/peft.h"
#include "generation/engine.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct EvalSubject {
  generation::Engine* engine;  // sync mode (threads = 0); outlives this
  AdapterId adapter;           // installed there
  AdapterInfo info;
};

struct EvalBase {
  generation::Engine* engine;  // sync mode; runs the model that the rest names
  const model::ModelConfig& config;
  const std::string& directory;
};

// Errors: those of read_adapter and base_hash, a model that refuses the adapter.
Expected<EvalSubject> open_eval_subject(const EvalBase& base, const std::string& adapter_directory);

}  // namespace weft::adapters
