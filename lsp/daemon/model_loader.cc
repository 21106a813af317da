#include "lsp/daemon/model_loader.h"

#include <memory>
#include <utility>

#include "generation/engine.h"
#include "model/base/clock.h"
#include "model/runner.h"

namespace weft::lsp {

ModelLoader make_model_loader(const DaemonOptions& options) {
  return [model = options.model, threads = options.threads,
          ranks = options.tensor_parallel](const std::function<void(double)>& progress) -> Expected<ReadyModel> {
    const auto directory = model::find_model_directory(model);
    if (!directory) return directory.error();
    auto loaded = model::load_model(
        {.directory = *directory, .threads = threads, .tensor_parallel = ranks, .progress = progress});
    if (!loaded) return loaded.error();
    const model::RunnerInfo info = loaded->runner->info();
    auto clock = std::make_shared<const SteadyClock>();
    auto engine =
        std::make_shared<generation::Engine>(std::shared_ptr<model::ModelRunner>(std::move(loaded->runner)),
                                             std::move(loaded->tokenizer), clock, generation::EngineOptions{});
    return ReadyModel{make_backend(std::make_unique<generation::CompletionService>(std::move(engine),
                                                                                   std::move(loaded->config), clock)),
                      info};
  };
}

}  // namespace weft::lsp
