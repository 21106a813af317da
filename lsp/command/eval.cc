// `weft eval completion`: how good the offered completions are on held-out files. Main thread only.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/eval/completion_eval.h"
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
  bool json = false;
};

void print_text(const CompletionEvalReport& report) {
  fmt::print(
      "model                {}\nfiles                {}\nbits per byte        {:.4f}\nnext-token accuracy  {:.2f}%\n"
      "line exact match     {:.2f}% of {} places\nedit similarity      {:.3f}\nanswered             {:.1f}%\n"
      "latency              {:.0f} ms median, {:.0f} ms p95\n",
      report.model, report.files, report.bits_per_byte, report.next_token_accuracy * 100, report.line_exact_match * 100,
      report.positions, report.mean_edit_similarity, report.answered_share * 100, report.latency_p50_ms,
      report.latency_p95_ms);
}

int fail(const Error& error) {
  fmt::print(stderr, "weft eval completion: {}\n", error.message);
  return 1;
}

int run(const Settings& settings) {
  generation::CompletionOptions completion;
  completion.shows_unsure = settings.options.keeps_places;
  auto stack = load_model_stack(settings.model, completion);
  if (!stack) return fail(stack.error());
  auto bar = std::make_unique<ProgressBar>(*stack->clock);
  adapters::CompletionEvalHooks hooks;
  hooks.scorer = stack->runner.get();
  hooks.tokenizer = stack->tokenizer.get();
  hooks.clock = stack->clock.get();
  hooks.progress = [&bar](double fraction) { bar->show(fraction, fmt::format("{:.0f}%", fraction * 100)); };
  const auto report = adapters::evaluate_completion(settings.options, *stack->service, hooks);
  bar.reset();
  if (!report) return fail(report.error());
  if (settings.json) {
    fmt::print("{}\n", adapters::to_json(*report));
  } else {
    print_text(*report);
  }
  return 0;
}

void add_completion(CLI::App& group, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  auto& options = settings->options;
  CLI::App* app = group.add_subcommand("completion", "Bits per byte, next-token accuracy, exact lines, latency");
  app->add_option("--data", options.directory, "folder searched for Python files")->required()->type_name("DIR");
  app->add_option("--max-files", options.max_files, "files to read at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--max-positions", options.max_positions, "cursor places in all")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--max-windows", options.max_windows, "windows scored token by token in all; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--seed", options.seed, "seed of the chosen places")->capture_default_str();
  app->add_flag("--details", options.keeps_places,
                "show what the model is unsure of too, and say in the JSON of each place how sure it was");
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer("Example:\n  weft eval completion --data ./held-out --max-files 20 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace

void add_eval_command(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("eval", "Measure a model, or an adapter beside its base");
  group->require_subcommand(1);
  add_completion(*group, exit_code);
  add_eval_task_commands(*group, exit_code);
}

}  // namespace weft::lsp
