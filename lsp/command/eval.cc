// `weft eval completion`: how good the offered completions are on held-out files. Main thread only.
#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/eval/calibration_fit.h"
#include "adapters/eval/completion_eval.h"
#include "adapters/eval/completion_rows.h"
#include "generation/completion/threshold.h"
#include "generation/memory/mixture.h"
#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::CompletionEvalOptions;
using adapters::CompletionEvalReport;

struct Settings {
  CompletionEvalOptions options;
  ModelOptions model;
  std::string memory = "project", fit, out;
  adapters::CalibrationAims aims;
  bool memory_first = false, details = false, json = false;
};

// Wherever memory says something, the model is not asked.
std::shared_ptr<const generation::MemoryWeights> memory_alone() {
  generation::MemoryWeights weights;
  weights.shares.fill(1);
  return std::make_shared<const generation::MemoryWeights>(weights);
}

Expected<generation::CompletionOptions> completion_options(const Settings& settings, const ModelStack& stack) {
  generation::CompletionOptions options;
  options.shows_unsure = true;
  options.cache_entries = 0;
  options.memory = memory_reaches().at(settings.memory);
  if (auto added = add_memory_weights(options, stack.directory); !added) return added.error();
  if (settings.memory_first) options.memory_weights = memory_alone();
  if (!settings.fit.empty()) return options;
  if (auto added = add_calibration(options, stack.directory); !added) return added.error();
  return options;
}

Expected<CompletionEvalReport> evaluate(const CompletionEvalOptions& options, const ModelStack& stack,
                                        const generation::CompletionOptions& completion) {
  generation::CompletionService service(stack.engine, stack.config, stack.clock, completion);
  ProgressBar bar(*stack.clock);
  adapters::CompletionEvalHooks hooks;
  hooks.scorer = stack.runner.get();
  hooks.tokenizer = stack.tokenizer.get();
  hooks.calibration = completion.calibration.get();
  hooks.clock = stack.clock.get();
  hooks.progress = [&](double fraction) {
    bar.show(fraction, fmt::format("{:.0f}% of {}", fraction * 100, options.directory));
  };
  return adapters::evaluate_completion(options, service, hooks);
}

Expected<generation::Calibration> fit(const Settings& settings, const ModelStack& stack,
                                      const generation::CompletionOptions& completion) {
  CompletionEvalOptions options = settings.options;
  options.directory = settings.fit;
  options.max_lines = 0;
  options.max_windows = 0;
  const auto report = evaluate(options, stack, completion);
  if (!report) return report.error();
  const adapters::CalibrationFit fitted = adapters::fit_calibration(report->places, settings.aims);
  fmt::print(stderr, "{}", adapters::to_text(fitted));
  return fitted.calibration;
}

Expected<void> run(const Settings& settings) {
  const auto stack = load_model_stack(settings.model);
  if (!stack) return stack.error();
  auto completion = completion_options(settings, *stack);
  if (!completion) return completion.error();
  if (!settings.fit.empty()) {
    const auto calibration = fit(settings, *stack, *completion);
    if (!calibration) return calibration.error();
    completion->calibration = std::make_shared<const generation::Calibration>(*calibration);
    if (!settings.out.empty()) {
      std::ofstream file(settings.out, std::ios::binary);
      file << generation::to_json(*calibration);
      if (!file.flush()) return make_error("cannot write {}", settings.out);
    }
  }
  const auto report = evaluate(settings.options, *stack, *completion);
  if (!report) return report.error();
  if (settings.json) {
    fmt::print("{}\n", adapters::to_json(*report, {.memory = settings.memory, .places = settings.details}));
  } else {
    fmt::print("{}", adapters::to_text(*report));
  }
  return {};
}

int run_command(const Settings& settings) {
  const auto done = run(settings);
  if (done) return 0;
  fmt::print(stderr, "weft eval completion: {}\n", done.error().message);
  return 1;
}

void add_completion(CLI::App& group, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  auto& options = settings->options;
  CLI::App* app = group.add_subcommand(
      "completion", "Exact lines, characters saved, what is shown and how precise it is, bits per byte, latency");
  app->add_option("--data", options.directory, "folder of projects: Python, JavaScript, TypeScript and C++ files")
      ->required()
      ->type_name("DIR");
  app->add_option("--fit-threshold", settings->fit,
                  "folder of other projects: fit to these when a suggestion is sure enough to be shown")
      ->type_name("DIR");
  app->add_option("--precision", settings->aims.precision,
                  "with --fit-threshold: the share of what is shown to be right")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app->add_option("--out", settings->out, "write what was fitted there, as a model's confidence.json")
      ->type_name("FILE");
  app->add_option("--memory", settings->memory, "what is remembered: nothing, the file itself, its project as well")
      ->check(CLI::IsMember({"none", "document", "project"}))
      ->capture_default_str();
  app->add_flag("--memory-first", settings->memory_first,
                "the model is asked only where the memory says nothing: what memory does alone");
  app->add_option("--max-files", options.max_files, "files to read at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--max-positions", options.max_positions, "cursor places in all, each with and without what follows")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--max-lines", options.max_lines, "lines typed key by key in all, likewise; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--max-windows", options.max_windows, "windows scored token by token in all; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--seed", options.seed, "seed of the chosen places")->capture_default_str();
  app->add_flag("--details", settings->details, "with --json: what was offered at each place, and how surely");
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer(
      "Examples:\n"
      "  weft eval completion --data ./held-out --max-files 20 --json\n"
      "  weft eval completion --fit-threshold ./projects --data ./held-out --out model/default/confidence.json");
  app->callback([settings, &exit_code] { exit_code = run_command(*settings); });
}

}  // namespace

void add_eval_command(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("eval", "Measure a model, or an adapter beside its base");
  group->require_subcommand(1);
  add_completion(*group, exit_code);
  add_eval_memory_command(*group, exit_code);
  add_eval_task_commands(*group, exit_code);
}

}  // namespace weft::lsp
