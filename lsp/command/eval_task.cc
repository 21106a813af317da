// `weft eval TASK`: what an adapter does for its task, beside the base alone, on files that neither was trained on.
// Main thread.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/eval/task_eval.h"
#include "lsp/command/command.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::Task;

struct Settings {
  adapters::TaskDataOptions data;
  std::string adapter, model;
  int threads = 0;
  bool only_permissive = false, json = false;
};

Expected<adapters::TaskEvalReport> evaluate(const Task& task, Settings settings, ModelStack& stack) {
  const CancelFlag cancel = cancel_on_interrupt();
  ProgressBar bar(*stack.clock);
  const auto show = [&bar](std::string_view stage) {
    return [&bar, stage](std::size_t done, std::size_t all) {
      bar.show(static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(all, 1)),
               fmt::format("{}: {}/{}", stage, done, all));
    };
  };
  const auto subject =
      adapters::open_eval_subject({stack.engine.get(), stack.config, stack.directory}, settings.adapter);
  if (!subject) return subject.error();
  if (!subject->info.task.empty() && subject->info.task != task.name) {
    return make_error("{} is an adapter for {}, not for {}", settings.adapter, subject->info.task, task.name);
  }
  settings.data.held_out_share = 1;
  settings.data.collect.any_licence = !settings.only_permissive;
  settings.data.max_tokens = static_cast<std::size_t>(stack.config.max_positions);
  const auto data = adapters::read_task_data(task, *stack.tokenizer, settings.data, show("reading"), cancel);
  if (!data) return data.error();
  if (data->held_out.empty()) return make_error("nothing to measure {} on: {}", task.name, describe(*data));
  return adapters::evaluate_task(task, data->held_out, *subject, {.progress = show("measuring"), .cancel = cancel});
}

int run(const Task& task, const Settings& settings) {
  const auto fail = [&](const Error& error) {
    fmt::print(stderr, "weft eval {}: {}\n", task.name, error.message);
    return 1;
  };
  auto stack = load_model_stack({.model = settings.model, .threads = settings.threads});
  if (!stack) return fail(stack.error());
  const auto report = evaluate(task, settings, *stack);
  if (!report) return fail(report.error());
  fmt::print("{}\n", settings.json ? adapters::to_json(*report) : adapters::describe(*report));
  return 0;
}

void add_task(CLI::App& group, int& exit_code, const Task& task) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = group.add_subcommand(std::string(task.name), fmt::format("Of an adapter that {}", task.summary));
  app->add_option("--adapter", settings->adapter, "the adapter's folder")->required()->type_name("DIR");
  app->add_option("--data", settings->data.folders, "folders of code that it was not trained on")
      ->required()
      ->type_name("DIR");
  app->add_option("--model", settings->model, "directory of its base")->type_name("DIR");
  app->add_option("--max-examples", settings->data.max_held_out, "examples at most, pairs whole")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--seed", settings->data.seed, "of the examples")->capture_default_str();
  app->add_flag("--only-permissive", settings->only_permissive, "leave out files without a permissive licence");
  app->add_option("--assume-licence", settings->data.collect.assumed_licence,
                  "SPDX licence of files that say nothing, with --only-permissive")
      ->type_name("SPDX");
  app->add_option("--threads", settings->threads, "compute threads; 0: as many as pay")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer(fmt::format("Example:\n  weft eval {} --adapter ./adapter --data ~/src/other-project --json", task.name));
  app->callback([settings, &exit_code, &task] { exit_code = run(task, *settings); });
}

}  // namespace

void add_eval_task_commands(CLI::App& group, int& exit_code) {
  for (const Task& task : adapters::tasks()) add_task(group, exit_code, task);
}

}  // namespace weft::lsp
