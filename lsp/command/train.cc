// `weft train TASK`: trains an adapter, or a whole model, for a task from folders of code. Main thread.
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/train/train_adapter.h"
#include "lsp/command/command.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"
#include "model/runner.h"

namespace weft::lsp {
namespace {

using adapters::TrainOptions;
using adapters::TrainProgress;
using adapters::TrainReport;

struct Settings {
  TrainOptions options;
  std::string task, preset = "balanced", model;
  // What stands in the preset's place.
  std::optional<std::size_t> rank, max_steps, batch_tokens, evaluate_every_steps, patience;
  std::optional<double> learning_rate, max_epochs;
  bool only_permissive = false, fresh = false, json = false;
};

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

void print_json(const Settings& settings, const TrainReport& report) {
  const nlohmann::ordered_json out = {{"task", report.info.task},
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
  fmt::print("{}\n", out.dump(2));
}

void print_text(const Settings& settings, const TrainReport& report) {
  fmt::print("{}\ntrained {} steps, {} tokens{}; held-out loss {:.4f} at step {}, {:.4f} before\n",
             adapters::describe(report.data), report.steps, report.tokens,
             report.stopped_early ? " (stopped early)" : "", report.best_loss, report.best_step, report.base_loss);
  if (report.info.threshold > 0) fmt::print("threshold: {:.4f}\n", report.info.threshold);
  fmt::print("{}: {}\n", settings.options.full ? "model" : "adapter", settings.options.out);
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
  if (report->interrupted) {
    fail(
        fmt::format("interrupted after step {}; the checkpoint is saved in {}. Run the same command again to continue.",
                    report->steps, settings.options.out));
  }
  if (settings.json) {
    print_json(settings, *report);
  } else if (!report->interrupted) {
    print_text(settings, *report);
  }
  return report->interrupted ? 1 : 0;
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
  app.add_option("--rank", settings.rank, "rank, the preset's scaling kept")->check(CLI::Range(1, 1024));
  app.add_option("--learning-rate", settings.learning_rate, "highest learning rate")->check(CLI::PositiveNumber);
  app.add_option("--max-steps", settings.max_steps, "steps at most")->check(CLI::PositiveNumber);
  app.add_option("--max-epochs", settings.max_epochs, "passes over the examples at most")->check(CLI::PositiveNumber);
  app.add_option("--batch-tokens", settings.batch_tokens, "tokens in a step")->check(CLI::PositiveNumber);
  app.add_option("--evaluate-every-steps", settings.evaluate_every_steps, "steps between looks at the held-out files")
      ->check(CLI::PositiveNumber);
  app.add_option("--patience", settings.patience, "looks without a better one before the run ends")
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
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
