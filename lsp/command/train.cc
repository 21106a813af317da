// `weft train TASK`: trains an adapter, or a whole model, for a task from folders of code. Main thread.
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/train/train_adapter.h"
#include "adapters/train/train_report.h"
#include "lsp/command/command.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"
#include "model/base/atomic_file.h"
#include "model/runner.h"

namespace weft::lsp {
namespace {

using adapters::TrainOptions;
using adapters::TrainProgress;
using adapters::TrainReport;

struct Settings {
  TrainOptions options;
  std::string task, preset = "balanced", model;
  std::string command;  // as it was typed
  // What stands in the preset's place.
  std::optional<std::size_t> rank, max_steps, batch_tokens, evaluate_every_steps, patience, max_held_out;
  std::optional<double> learning_rate, max_epochs;
  bool only_permissive = false, fresh = false, json = false;
};

using adapters::TaskEvalReport;

int fail(std::string_view message, int code = 1) {
  fmt::print(stderr, "weft train: {}\n", message);
  return code;
}

template <class Value>
void replace(Value& value, const std::optional<Value>& wanted) {
  if (wanted) value = *wanted;
}

adapters::TrainPreset preset_of(const Settings& settings) {
  adapters::TrainPreset preset = *adapters::find_train_preset(settings.preset);
  if (settings.rank) {
    preset.alpha = preset.alpha / static_cast<double>(preset.rank) * static_cast<double>(*settings.rank);
    preset.rank = *settings.rank;
  }
  replace(preset.max_steps, settings.max_steps);
  replace(preset.batch_tokens, settings.batch_tokens);
  replace(preset.evaluate_every_steps, settings.evaluate_every_steps);
  replace(preset.patience, settings.patience);
  replace(preset.max_held_out, settings.max_held_out);
  replace(settings.options.full ? preset.full_learning_rate : preset.learning_rate, settings.learning_rate);
  replace(preset.max_epochs, settings.max_epochs);
  return preset;
}

std::string describe(const TrainProgress& progress) {
  if (progress.stage != "training")
    return fmt::format("{}: {}/{}", progress.stage, progress.step, progress.total_steps);
  return fmt::format("step {}/{}  loss {:.4f}  lr x{:.3f}  grad {:.2f}  {:.0f} tokens/s  ETA {}", progress.step,
                     progress.total_steps, progress.loss, progress.learning_rate_scale, progress.gradient_norm,
                     progress.tokens_per_second, format_duration(progress.eta_seconds));
}

void show(ProgressBar& bar, const TrainProgress& progress) {
  if (progress.held_out_loss >= 0) {
    bar.note(fmt::format("step {}: held-out loss {:.4f}", progress.step, progress.held_out_loss));
  }
  const auto all = static_cast<double>(std::max<std::size_t>(progress.total_steps, 1));
  bar.show(static_cast<double>(progress.step) / all, describe(progress));
}

// Base and adapter on the held-out examples, through the engine that serves.
Expected<TaskEvalReport> evaluate(const adapters::Task& task, const Settings& settings, const TrainReport& report,
                                  const CancelFlag& cancel) {
  const TrainOptions& options = settings.options;
  auto stack = load_model_stack({.model = options.model, .threads = options.threads});
  if (!stack) return stack.error();
  const auto subject = adapters::open_eval_subject({stack->engine.get(), stack->config, stack->directory}, options.out);
  if (!subject) return subject.error();
  adapters::TaskEvalHooks hooks;
  hooks.cancel = cancel;
  ProgressBar bar(*stack->clock);
  hooks.progress = [&bar](std::size_t done, std::size_t all) {
    bar.show(static_cast<double>(done) / static_cast<double>(all), fmt::format("measuring: {}/{}", done, all));
  };
  return adapters::evaluate_task(task, report.data.held_out, *subject, hooks);
}

nlohmann::ordered_json to_json(const Settings& settings, const TrainReport& report) {
  return {{"task", report.info.task},
          {"base", report.info.base_name},
          {settings.options.full ? "model" : "adapter", settings.options.out},
          {"interrupted", report.interrupted},
          {"stopped_early", report.stopped_early},
          {"steps", report.steps},
          {"tokens", report.tokens},
          {"parameters", report.parameters},
          {"rank", report.info.rank},
          {"files", report.data.files},
          {"train_examples", report.data.train.size()},
          {"held_out_examples", report.data.held_out.size()},
          {"base_loss", report.base_loss},
          {"best_loss", report.best_loss},
          {"best_step", report.best_step},
          {"threshold", report.info.threshold}};
}

std::string describe(const Settings& settings, const TrainReport& report) {
  std::string out =
      fmt::format("{}\ntrained {} steps, {} tokens{}; held-out loss {:.4f} at step {}, {:.4f} before\n",
                  adapters::describe(report.data), report.steps, report.tokens,
                  report.stopped_early ? " (stopped early)" : "", report.best_loss, report.best_step, report.base_loss);
  if (report.info.threshold > 0) out += fmt::format("threshold: {:.4f}\n", report.info.threshold);
  return out + fmt::format("{0}: {1}\nreport: {1}/report.html\n", settings.options.full ? "model" : "adapter",
                           settings.options.out);
}

int finish(const adapters::Task& task, const Settings& settings, const TrainReport& report, const CancelFlag& cancel) {
  // Two models cannot be in one engine; of a whole one the report has the losses.
  std::optional<TaskEvalReport> evaluation;
  if (!settings.options.full) {
    auto measured = evaluate(task, settings, report, cancel);
    if (!measured) {
      return fail(fmt::format("the adapter is in {}, but could not be measured: {}", settings.options.out,
                              measured.error().message));
    }
    evaluation = *std::move(measured);
  }
  const TaskEvalReport* found = evaluation ? &*evaluation : nullptr;
  const std::string html = to_html(adapters::make_train_report({settings.options, report, found, settings.command}));
  if (auto written = write_file_atomically(settings.options.out + "/report.html", html); !written) {
    return fail(written.error().message);
  }
  auto out = to_json(settings, report);
  if (found != nullptr) out["evaluation"] = nlohmann::ordered_json::parse(adapters::to_json(*found));
  fmt::print("{}\n", settings.json ? out.dump(2)
                                   : describe(settings, report) + (found != nullptr ? adapters::describe(*found) : ""));
  return 0;
}

int run(Settings settings) {
  const adapters::Task* task = adapters::find_task(settings.task);
  if (task == nullptr) return fail(fmt::format("no task {}; known: {}", settings.task, adapters::known_tasks()), 2);
  auto model = model::find_model_directory(settings.model);
  if (!model) return fail(model.error().message);
  settings.options.model = *std::move(model);
  settings.options.preset = preset_of(settings);
  settings.options.collect.any_licence = !settings.only_permissive;
  settings.options.resume = !settings.fresh;
  const CancelFlag cancel = cancel_on_interrupt();
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto report = adapters::train_adapter(
      *task, settings.options, [&bar](const TrainProgress& progress) { show(*bar, progress); }, cancel);
  bar.reset();
  if (!report) return fail(report.error().message);
  if (!report->interrupted) return finish(*task, settings, *report, cancel);
  if (settings.json) fmt::print("{}\n", to_json(settings, *report).dump(2));
  return fail(
      fmt::format("interrupted after step {}; the checkpoint is saved in {}. Run the same command again to "
                  "continue.",
                  report->steps, settings.options.out));
}

// The options that were given, as a shell would take them.
std::string command_of(const CLI::App& app) {
  std::string out = "weft train";
  const auto add = [&out](const std::string& word) {
    const bool plain = word.find_first_of(" \t'\"$*?&|;<>()") == std::string::npos && !word.empty();
    out += plain ? " " + word : " '" + word + "'";
  };
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const bool flag = option->get_expected_min() == 0;
    if (option->nonpositional()) add(option->get_name());
    for (const std::string& value : option->results()) {
      if (!flag) add(value);
    }
  }
  return out;
}

std::string presets() {
  std::string out;
  for (const adapters::TrainPreset& preset : adapters::train_presets()) {
    out += fmt::format("\n  {:<9} {}: rank {}, at most {} steps of {} tokens", preset.name, preset.summary, preset.rank,
                       preset.max_steps, preset.batch_tokens);
  }
  return out;
}

std::string tasks() {
  std::string out;
  for (const adapters::Task& task : adapters::tasks()) out += fmt::format("\n  {:<22} {}", task.name, task.summary);
  return out;
}

void add_data_options(CLI::App& app, Settings& settings) {
  app.add_option("task", settings.task, fmt::format("one of {}", adapters::known_tasks()))->required();
  app.add_option("--data", settings.options.data, "folders of code")->required()->type_name("DIR");
  app.add_option("--out", settings.options.out, "folder of what is trained; checkpoints and log.jsonl go there too")
      ->required()
      ->type_name("DIR");
  app.add_option("--model", settings.model, "directory of the model that is adapted")->type_name("DIR");
  app.add_flag("--full", settings.options.full,
               "train all of the model's weights instead of an adapter: --out becomes a model directory. An "
               "encoder-decoder is trained so");
  app.add_option("--from", settings.options.from, "an adapter for the task to go on from, instead of a fresh one")
      ->type_name("DIR")
      ->excludes("--full");
  app.add_flag("--only-permissive", settings.only_permissive,
               "leave out files without a permissive licence, for an adapter that is given away");
  app.add_option("--assume-licence", settings.options.collect.assumed_licence,
                 "SPDX licence of files that say nothing, with --only-permissive")
      ->type_name("SPDX");
}

void add_training_options(CLI::App& app, Settings& settings) {
  app.add_option("--preset", settings.preset, fmt::format("one of {}", adapters::known_train_presets()))
      ->check([](const std::string& name) {
        return adapters::find_train_preset(name) != nullptr ? "" : "known: " + adapters::known_train_presets();
      })
      ->capture_default_str();
  app.add_option("--rank", settings.rank, "rank, the preset's scaling kept")
      ->check(CLI::Range(1, 1024))
      ->excludes("--from");
  app.add_option("--learning-rate", settings.learning_rate, "highest learning rate")->check(CLI::PositiveNumber);
  app.add_option("--max-steps", settings.max_steps, "steps at most")->check(CLI::PositiveNumber);
  app.add_option("--max-epochs", settings.max_epochs, "passes over the examples at most")->check(CLI::PositiveNumber);
  app.add_option("--batch-tokens", settings.batch_tokens, "tokens in a step")->check(CLI::PositiveNumber);
  app.add_option("--evaluate-every-steps", settings.evaluate_every_steps, "steps between looks at the held-out files")
      ->check(CLI::PositiveNumber);
  app.add_option("--patience", settings.patience, "looks without a better one before the run ends")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-held-out", settings.max_held_out, "examples kept of the held-out files")
      ->check(CLI::PositiveNumber);
  app.add_option("--checkpoint-every-steps", settings.options.checkpoint_every_steps, "steps between checkpoints")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", settings.options.seed, "of the split, the order and the factors")->capture_default_str();
  app.add_option("--threads", settings.options.threads, "compute threads; 0: one per core")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace

void add_train_command(CLI::App& root, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = root.add_subcommand("train", "Train an adapter, or a whole model, for a task from folders of code");
  add_data_options(*app, *settings);
  add_training_options(*app, *settings);
  app->add_flag("--fresh", settings->fresh, "ignore checkpoints in --out instead of continuing from the newest");
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer(
      fmt::format("Tasks:{}\n\nPresets:{}\n\n"
                  "Stops cleanly at Ctrl-C (exit code 1) and continues when run again; a second Ctrl-C kills.\n\n"
                  "Examples:\n  weft train bug-detection --data ~/src/project --out bugs --preset smallest\n"
                  "  weft train function-from-comment --full --model t5 --data ~/src/project --out t5-functions",
                  tasks(), presets()));
  app->callback([settings, app, &exit_code] {
    settings->command = command_of(*app);
    exit_code = run(*settings);
  });
}

}  // namespace weft::lsp
