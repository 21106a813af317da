// `weft eval memory`: a model alone, its memory alone, and the mixture of both. Main thread only.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/eval/memory_fit.h"
#include "adapters/eval/memory_tokens.h"
#include "generation/memory/mixture.h"
#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using generation::MemoryWeights;

struct Settings {
  std::string data, fit, out;
  adapters::MemoryTokensOptions tokens;
  ModelOptions model;
  bool json = false;
};

Expected<std::vector<adapters::MemoryLine>> read_lines(const std::string& directory, const Settings& settings,
                                                       const ModelStack& stack) {
  auto projects = adapters::read_projects(directory);
  if (!projects) return projects.error();
  ProgressBar bar(*stack.clock);
  std::vector<adapters::MemoryLine> lines;
  for (std::size_t i = 0; i < projects->size(); ++i) {
    auto own = adapters::read_memory_lines(
        (*projects)[i], settings.tokens, {stack.config, stack.tokenizer, *stack.runner}, [&](double fraction) {
          bar.show((static_cast<double>(i) + fraction) / static_cast<double>(projects->size()), directory);
        });
    if (!own) return own.error();
    lines.insert(lines.end(), std::move_iterator(own->begin()), std::move_iterator(own->end()));
  }
  return lines;
}

// Fitted, or else those that the model comes with.
Expected<MemoryWeights> weights_for(const Settings& settings, const ModelStack& stack) {
  if (!settings.fit.empty()) {
    const auto lines = read_lines(settings.fit, settings, stack);
    if (!lines) return lines.error();
    return adapters::fit_memory_weights(*lines);
  }
  const auto weights = generation::load_memory_weights(stack.directory);
  if (!weights) return weights.error();
  if (!*weights) return make_error("{} has no memory.json: fit one with --fit", stack.directory);
  return **weights;
}

void print_row(const std::string& name, const adapters::MemoryScore& score) {
  if (score.tokens == 0) return;
  const auto count = static_cast<double>(score.tokens);
  const auto cell = [count](const adapters::NextTokenScore& of) {
    return fmt::format("{:5.1f} % {:5.2f}", 100 * static_cast<double>(of.right) / count, of.nats / count);
  };
  fmt::print("{:>12} {:>7}   {}   {}   {}\n", name, score.tokens, cell(score.model), cell(score.memory),
             cell(score.mixture));
}

void print_text(const adapters::MemoryReport& report) {
  fmt::print("next tokens of {} lines that are right, and nats a token\n", report.lines);
  fmt::print("{:>12} {:>7}   {:13}   {:13}   {:13}\n", "match", "tokens", "model", "memory", "mixture");
  print_row("all", report.all);
  print_row("none", report.by_length[0]);
  for (std::size_t i = 0; i < generation::kMatchLengths.size(); ++i) {
    print_row(fmt::format("from {}", generation::kMatchLengths[i]), report.by_length[i + 1]);
  }
  const auto share = [](std::size_t a, std::size_t b) {
    return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
  };
  fmt::print("drafts: {:.2f} tokens a step, {:.0f} % of {} drafted tokens accepted\n",
             share(report.all.tokens, report.steps), 100 * share(report.accepted, report.drafted), report.drafted);
}

Expected<void> run(const Settings& settings) {
  const auto stack = load_model_stack(settings.model);
  if (!stack) return stack.error();
  const auto weights = weights_for(settings, *stack);
  if (!weights) return weights.error();
  if (!settings.out.empty()) {
    std::ofstream file(settings.out, std::ios::binary);
    file << generation::to_json(*weights);
    if (!file.flush()) return make_error("cannot write {}", settings.out);
  }
  const auto lines = read_lines(settings.data, settings, *stack);
  if (!lines) return lines.error();
  const auto report = adapters::score_memory(*lines, *weights, stack->tokenizer->vocabulary());
  settings.json ? fmt::print("{}\n", adapters::to_json(report, *weights, stack->runner->info().name))
                : print_text(report);
  return {};
}

int run_command(const Settings& settings) {
  const auto done = run(settings);
  if (done) return 0;
  fmt::print(stderr, "weft eval memory: {}\n", done.error().message);
  return 1;
}

}  // namespace

void add_eval_memory_command(CLI::App& group, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = group.add_subcommand("memory", "Next tokens of the model, of its memory, and of both");
  app->add_option("--data", settings->data, "folder of projects that the report is about")
      ->required()
      ->type_name("DIR");
  app->add_option("--fit", settings->fit, "folder of other projects: fit the weights to these")->type_name("DIR");
  app->add_option("--out", settings->out, "write the weights there, as a model's memory.json")->type_name("FILE");
  app->add_option("--files-per-project", settings->tokens.files_per_project, "files whose lines are read")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--lines-per-file", settings->tokens.lines_per_file, "lines of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--seed", settings->tokens.seed, "seed of the chosen lines")->capture_default_str();
  add_model_options(*app, settings->model);
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer("Example:\n  weft eval memory --fit ./projects --data ./held-out --out model/default/memory.json");
  app->callback([settings, &exit_code] { exit_code = run_command(*settings); });
}

}  // namespace weft::lsp
