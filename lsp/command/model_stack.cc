#include "lsp/command/model_stack.h"

#include <unistd.h>

#include <utility>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

void show_loading(double fraction) {
  if (isatty(STDERR_FILENO) != 1) return;
  fmt::print(stderr, "\r\033[K");
  if (fraction < 1) fmt::print(stderr, "loading the model: {:.0f}%", fraction * 100);
}

}  // namespace

Expected<ModelStack> load_model_stack(const ModelOptions& options, const generation::CompletionOptions& completion) {
  auto directory = model::find_model_directory(options.model);
  if (!directory) return directory.error();
  auto clock = std::make_shared<const SteadyClock>();
  const TimePoint begin = clock->now();
  model::LoadOptions load = load_options(options, *directory);
  load.progress = show_loading;
  auto loaded = model::load_model(load);
  show_loading(1);
  if (!loaded) return loaded.error();
  ModelStack stack{.directory = *directory,
                   .clock = clock,
                   .config = std::move(loaded->config),
                   .tokenizer = std::move(loaded->tokenizer),
                   .runner = std::move(loaded->runner),
                   .engine = nullptr,
                   .service = nullptr,
                   .load_ms = milliseconds_between(begin, clock->now())};
  stack.engine = std::make_shared<generation::Engine>(stack.runner, stack.tokenizer, stack.clock,
                                                      generation::EngineOptions{.threads = 0});
  generation::CompletionOptions own = completion;
  if (auto added = add_memory_weights(own, *directory); !added) return added.error();
  if (auto added = add_calibration(own, *directory); !added) return added.error();
  stack.service =
      std::make_unique<generation::CompletionService>(stack.engine, stack.config, stack.clock, std::move(own));
  return stack;
}

generation::CompletionRequest automatic_request(const std::string& path, std::shared_ptr<const std::string> text,
                                                std::size_t cursor) {
  generation::CompletionRequest request;
  request.document.path = path;
  request.document.text = std::move(text);
  request.cursor = cursor;
  request.trigger = generation::Trigger::kAutomatic;
  request.session = "command";
  return request;
}

nlohmann::json to_json(const generation::CompletionTimings& timings) {
  return {{"prompt", timings.prompt_ms}, {"queue", timings.queue_ms},   {"prefill", timings.prefill_ms},
          {"decode", timings.decode_ms}, {"filter", timings.filter_ms}, {"total", timings.total_ms}};
}

}  // namespace weft::lsp
