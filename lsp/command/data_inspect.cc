// `weft data inspect`: what is in a file of examples, or in a folder of packed text. Main thread.
#include <memory>

#include <fmt/format.h>

#include "adapters/tasks/inspect.h"
#include "lsp/command/data.h"

namespace weft::lsp {
namespace {

struct Settings {
  adapters::InspectOptions options;
  bool json = false;
};

int run(const Settings& settings) {
  const auto report = adapters::inspect(settings.options);
  if (!report) {
    fmt::print(stderr, "weft data inspect: {}\n", report.error().message);
    return 1;
  }
  if (settings.json) {
    fmt::print("{}", adapters::to_json(*report));
    return 0;
  }
  fmt::print("{}\n", report->kind);
  for (const auto& [what, count] : report->counts) fmt::print("  {}: {}\n", what, count);
  if (!report->labels.empty()) fmt::print("labels\n");
  for (const auto& [label, count] : report->labels) fmt::print("  {}: {}\n", label, count);
  for (const auto& sample : report->samples) fmt::print("\n--- sample\n{}\n", sample);
  return 0;
}

}  // namespace

void add_data_inspect_command(CLI::App& data, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = data.add_subcommand("inspect", "Count what is in training data, and show some of it");
  app->add_option("PATH", settings->options.path, "a file of `weft data extract`, or a folder of `weft data pack`")
      ->required()
      ->check(CLI::ExistingPath);
  app->add_option("--samples", settings->options.samples, "pieces to show")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer("Examples:\n  weft data inspect bugs.jsonl\n  weft data inspect packed --samples 1 --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
