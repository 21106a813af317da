// The daemon's model: found, loaded, and put behind an engine with a thread of its own and the completion service. Goes
// with the programs, which have the model's back end, not with the library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "generation/engine.h"
#include "lsp/completion_backend.h"
#include "lsp/model_options.h"

namespace weft::lsp {

struct ModelLoaderOptions {
  ModelOptions model{};
  std::vector<std::string> adapters{};  // folders, installed once the model is ready
  generation::MemoryReach memory = generation::editor_options().memory;
  generation::EngineOptions engine{};
  // Called on the loading thread: a runner around the model's, such as one that counts. Empty: the model's alone.
  std::function<std::shared_ptr<model::ModelRunner>(std::shared_ptr<model::ModelRunner>)> around_runner{};
};

[[nodiscard]] ModelLoader make_model_loader(ModelLoaderOptions options);

}  // namespace weft::lsp
