// `weft data extract`: the examples of a task, from folders of code. Main thread.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/tasks/extract.h"
#include "lsp/command/data.h"
#include "lsp/command/interrupt.h"
#include "lsp/command/progress_bar.h"

namespace weft::lsp {
namespace {

using adapters::ExtractOptions;
using adapters::ExtractReport;

struct Settings {
  ExtractOptions options;
  bool json = false;
};

void print_text(const ExtractReport& report, const std::string& out) {
  fmt::print("examples: {} from {} of {} files\n", report.examples, report.documents, report.files);
  for (const auto& [label, count] : report.labels) fmt::print("  {}: {}\n", label, count);
  for (const auto& [reason, count] : report.dropped) fmt::print("dropped, {}: {}\n", reason, count);
  if (report.masked > 0) fmt::print("pieces masked as keys: {}\n", report.masked);
  fmt::print("written: {}\n", out);
}

int run(const Settings& settings) {
  const CancelFlag cancel = cancel_on_interrupt();
  const SteadyClock clock;
  auto bar = std::make_unique<ProgressBar>(clock);
  const auto show = [&bar](std::size_t done, std::size_t all) {
    bar->show(all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all), fmt::format("{}/{}", done, all));
  };
  const auto report = adapters::extract(settings.options, show, cancel);
  bar.reset();
  if (!report) {
    fmt::print(stderr, "weft data extract: {}\n", report.error().message);
    return 1;
  }
  if (settings.json) {
    fmt::print("{}", adapters::to_json(*report));
  } else {
    print_text(*report, settings.options.out);
  }
  return 0;
}

}  // namespace

void add_data_extract_command(CLI::App& data, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  auto& options = settings->options;
  CLI::App* app = data.add_subcommand("extract", "Make a task's examples from folders of Python");
  app->add_option("--data", options.sources, "folder of code; repeatable")
      ->required()
      ->type_name("DIR")
      ->allow_extra_args(false)
      ->check(CLI::ExistingDirectory);
  app->add_option("--task", options.task, adapters::known_tasks())->required()->type_name("TASK");
  app->add_option("--out", options.out, "file of JSON lines; replaced if it is there")->required()->type_name("FILE");
  app->add_option("--limit", options.limit, "examples at most; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--seed", options.seed, "seed of mutations and choices")->capture_default_str();
  app->add_option("--assume-licence", options.collect.assumed_licence,
                  "SPDX name for files that neither a LICENSE file, licences.json nor their header speaks of")
      ->type_name("NAME");
  app->add_flag("--json", settings->json, "print the report as JSON");
  std::string tasks;
  for (const auto& task : adapters::tasks()) tasks += fmt::format("  {}: {}\n", task.name, task.summary);
  app->footer("Each line has prompt, answer and label; examples that belong together have the same pair.\n\nTasks:\n" +
              tasks +
              "\nExamples:\n"
              "  weft data extract --data src --task bug-detection --assume-licence MIT --out bugs.jsonl\n"
              "  weft data extract --data corpus/train --task refactor --limit 5000 --out refactor.jsonl --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
