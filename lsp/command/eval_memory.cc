// `weft eval memory`: a model alone, its memory alone, and the mixture of both. Main thread only.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/eval/memory_fit.h"
#include "adapters/eval/memory_tokens.h"
#include "generation/files/python_environment.h"
#include "generation/memory/environment_memory.h"
#include "generation/memory/mixture.h"
#include "lsp/command/command.h"
#include "lsp/command/model_stack.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using generation::MemoryWeights;

struct Settings {
  std::string data, fit, out, environment;
  bool without_environment = false;
  adapters::MemoryTokensOptions tokens;
  ModelOptions model;
  bool json = false;
};

// The Python packages that every project of the report may import, but for those that the report is about.
Expected<std::shared_ptr<const generation::EnvironmentIndex>> load_environment(const Settings& settings,
                                                                               const ModelStack& stack) {
  std::set<std::string> excluded;
  for (const std::string& directory : {settings.data, settings.fit}) {
    if (directory.empty()) continue;
    const auto projects = adapters::read_projects(directory);
    if (!projects) return projects.error();
    excluded.merge(adapters::names_of_projects(directory, *projects));
  }
  const generation::EnvironmentOptions options = environment_options();
  auto environment = generation::find_python_environment("", options.variables);
  if (!environment && settings.environment.empty()) return make_error("there is no python3: name an --environment");
  if (!environment) environment.emplace();
  if (!settings.environment.empty()) environment->site_folders = {settings.environment};
  const auto plan = generation::plan_environment(
      *environment, generation::list_python_packages(*environment, {}, excluded, options.limits.packages, {}),
      options.limits, *stack.tokenizer);
  if (options.folder.empty()) {
    return make_error("neither XDG_CACHE_HOME nor HOME is set: there is no place for an environment");
  }
  // What is measured is what the memory says, not how fast the disk is.
  const generation::EnvironmentStore store(options.folder, 3, generation::claim_memory);
  return generation::build_environment(plan, options.limits, *stack.tokenizer, store, {});
}

void append(std::vector<adapters::MemoryLine>& lines, std::vector<adapters::MemoryLine> more) {
  lines.insert(lines.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

Expected<adapters::MemoryLines> read_lines(const std::string& directory, const Settings& settings,
                                           const ModelStack& stack) {
  auto projects = adapters::read_projects(directory);
  if (!projects) return projects.error();
  ProgressBar bar(*stack.clock);
  adapters::MemoryLines lines;
  for (std::size_t i = 0; i < projects->size(); ++i) {
    auto own = adapters::read_memory_lines(
        (*projects)[i], settings.tokens, {stack.config, stack.tokenizer, *stack.runner}, [&](double fraction) {
          bar.show((static_cast<double>(i) + fraction) / static_cast<double>(projects->size()), directory);
        });
    if (!own) return own.error();
    append(lines.all, std::move(own->all));
    append(lines.without_environment, std::move(own->without_environment));
  }
  return lines;
}

// Fitted, or else those that the model comes with.
Expected<MemoryWeights> weights_for(const Settings& settings, const ModelStack& stack) {
  if (!settings.fit.empty()) {
    auto lines = read_lines(settings.fit, settings, stack);
    if (!lines) return lines.error();
    // An environment is not always there: the weights are to be right without one too.
    if (settings.tokens.environment) append(lines->all, std::move(lines->without_environment));
    return adapters::fit_memory_weights(lines->all);
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

void print_text(const adapters::MemoryReport& report, const adapters::MemoryReport* without_environment) {
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
  if (without_environment != nullptr) {
    const auto count = static_cast<double>(std::max<std::size_t>(report.all.tokens, 1));
    const adapters::NextTokenScore& mixture = without_environment->all.mixture;
    fmt::print("mixture without environment: {:.1f} % {:.2f}\n", 100 * static_cast<double>(mixture.right) / count,
               mixture.nats / count);
  }
  for (std::size_t i = 0; i < report.by_source.size(); ++i) {
    const adapters::SourceScore& source = report.by_source[i];
    fmt::print("{} alone: {} tokens, {:.1f} % right\n", generation::name_of(static_cast<generation::MemorySource>(i)),
               source.tokens, 100 * share(source.right, source.tokens));
  }
  fmt::print("drafts: {:.2f} tokens a step, {:.0f} % of {} drafted tokens accepted\n",
             share(report.all.tokens, report.steps), 100 * share(report.accepted, report.drafted), report.drafted);
}

Expected<void> run(Settings settings) {
  const auto stack = load_model_stack(settings.model);
  if (!stack) return stack.error();
  if (!settings.without_environment) {
    auto environment = load_environment(settings, *stack);
    if (!environment) return environment.error();
    settings.tokens.environment = std::move(*environment);
  }
  const auto weights = weights_for(settings, *stack);
  if (!weights) return weights.error();
  if (!settings.out.empty()) {
    std::ofstream file(settings.out, std::ios::binary);
    file << generation::to_json(*weights);
    if (!file.flush()) return make_error("cannot write {}", settings.out);
  }
  const auto lines = read_lines(settings.data, settings, *stack);
  if (!lines) return lines.error();
  const std::size_t vocabulary = stack->tokenizer->vocabulary();
  const auto report = adapters::score_memory(lines->all, *weights, vocabulary);
  const auto without = adapters::score_memory(lines->without_environment, *weights, vocabulary);
  const adapters::MemoryReport* without_environment = settings.tokens.environment ? &without : nullptr;
  settings.json
      ? fmt::print("{}\n", adapters::to_json(report, without_environment, *weights, stack->runner->info().name))
      : print_text(report, without_environment);
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
  auto* environment =
      app->add_option("--environment", settings->environment,
                      "folder of installed Python packages that the projects may import (default: python3's)")
          ->type_name("DIR");
  app->add_flag("--no-environment", settings->without_environment, "the memory is of file and project alone")
      ->excludes(environment);
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
