// What complete, eval and bench all need: the model, a sync-mode engine and the completion service over it, as the
// daemon has them. Main thread only.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "generation/completion/completion.h"
#include "lsp/model_options.h"
#include "model/base/clock.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::lsp {

struct ModelStack {
  std::string directory;
  std::shared_ptr<const Clock> clock;
  model::ModelConfig config;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  std::shared_ptr<model::ModelRunner> runner;
  std::shared_ptr<generation::Engine> engine;
  std::unique_ptr<generation::CompletionService> service;
  double load_ms = 0;
};

// Shows a progress line on stderr when that is a terminal.
Expected<ModelStack> load_model_stack(const ModelOptions& options,
                                      const generation::CompletionOptions& completion = {});

// An automatic request at the end of the typed text, the one an editor sends.
generation::CompletionRequest automatic_request(const std::string& path, std::shared_ptr<const std::string> text,
                                                std::size_t cursor);

nlohmann::json to_json(const generation::CompletionTimings& timings);

}  // namespace weft::lsp
