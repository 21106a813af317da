#include "lsp/model_loader.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "adapters/actions/actions.h"
#include "adapters/registry/registry.h"
#include "generation/completion/prompt.h"
#include "lsp/action_backend.h"
#include "lsp/adapter_control.h"
#include "model/base/clock.h"
#include "model/base/log.h"
#include "model/runner.h"

namespace weft::lsp {
namespace {

// Those that came with the model, then those that were asked for, which take their places. One that cannot be used is
// no reason to do without the rest.
std::vector<std::string> install_adapters(adapters::AdapterRegistry& registry, const std::string& model_directory,
                                          const std::vector<std::string>& asked_for) {
  std::vector<std::string> folders = adapters::shipped_adapters(model_directory);
  for (const std::string& folder : asked_for) folders.push_back(std::filesystem::absolute(folder).string());
  std::vector<std::string> warnings;
  for (const std::string& folder : folders) {
    const auto installed = registry.add_now(folder);
    if (installed) continue;
    warnings.push_back(fmt::format("the adapter is not used: {}", installed.error().message));
    spdlog::warn("{}", warnings.back());
  }
  return warnings;
}

}  // namespace

ModelLoader make_model_loader(ModelLoaderOptions options) {
  return [options = std::move(options)](const std::function<void(double)>& progress) -> Expected<ReadyModel> {
    const auto directory = model::find_model_directory(options.model.model);
    if (!directory) return directory.error();
    model::LoadOptions load = load_options(options.model, *directory);
    load.progress = progress;
    auto loaded = model::load_model(load);
    if (!loaded) return loaded.error();
    ReadyModel ready{.backend = nullptr, .info = loaded->runner->info()};
    auto clock = std::make_shared<const SteadyClock>();
    const auto tokenizer = loaded->tokenizer;
    std::shared_ptr<model::ModelRunner> runner = std::move(loaded->runner);
    if (options.around_runner) runner = options.around_runner(std::move(runner));
    auto engine = std::make_shared<generation::Engine>(std::move(runner), tokenizer, clock, options.engine);
    auto registry = std::make_shared<adapters::AdapterRegistry>(
        engine, loaded->config, [folder = *directory] { return adapters::base_hash(folder); });
    ready.warnings = install_adapters(*registry, *directory, options.adapters);
    ready.adapters = make_adapter_control(registry);
    adapters::ActionOptions actions;
    actions.stop_tokens = generation::stop_tokens(loaded->config, *tokenizer);
    ready.actions =
        make_action_backend(std::make_unique<adapters::ActionService>(engine, registry, std::move(actions)), registry);
    generation::CompletionOptions completion = generation::editor_options();
    completion.memory = options.memory;
    if (auto added = add_memory_weights(completion, *directory); !added) {
      ready.warnings.push_back(fmt::format("completion does without memory: {}", added.error().message));
    }
    if (auto added = add_calibration(completion, *directory); !added) {
      ready.warnings.push_back(fmt::format("completion shows what it is unsure of: {}", added.error().message));
    }
    // Without weights what is remembered is good for guessing alone, which is not worth an index of all that there is.
    if (completion.memory_weights) completion.environment = environment_options();
    ready.metrics = [engine] { return engine->metrics(); };
    ready.backend = make_backend(std::make_unique<generation::CompletionService>(engine, std::move(loaded->config),
                                                                                 clock, std::move(completion)));
    return ready;
  };
}

}  // namespace weft::lsp
