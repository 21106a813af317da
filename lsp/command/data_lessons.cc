// `weft data lessons`: little functions that weft's own grammar writes, as training text. Main thread.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "adapters/data/lessons.h"
#include "lsp/command/data.h"
#include "lsp/command/interrupt.h"

namespace weft::lsp {
namespace {

struct Settings {
  adapters::LessonOptions options;
  std::string out, held_out;
};

int run(Settings& settings) {
  auto held_out = adapters::parse_held_out(settings.held_out);
  if (!held_out) {
    fmt::print(stderr, "weft data lessons: --hold-out: {}\n", held_out.error().message);
    return 2;
  }
  settings.options.held_out = std::move(*held_out);
  const auto report = adapters::write_lessons(settings.options, settings.out, cancel_on_interrupt());
  if (!report) {
    fmt::print(stderr, "weft data lessons: {}\n", report.error().message);
    return 1;
  }
  fmt::print("lessons: {} in {} files\n", report->lessons, report->files);
  for (const auto& [language, count] : report->by_language) fmt::print("  {}: {}\n", language, count);
  fmt::print("written: {}\n", settings.out);
  return 0;
}

}  // namespace

void add_data_lessons_command(CLI::App& data, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = data.add_subcommand("lessons", "Write small functions with descriptions in English and Chinese");
  app->add_option("--out", settings->out, "folder; lessons of an earlier run are replaced")
      ->required()
      ->type_name("DIR");
  app->add_option("--seed", settings->options.seed, "seed of all choices")->capture_default_str();
  app->add_option("--count", settings->options.count, "functions to write")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--hold-out", settings->held_out,
                  "concepts that are left out, with commas; of arithmetic with the count of numbers")
      ->type_name("NAMES");
  app->footer(
      "Training text for function-from-comment, written by a grammar and never looked up when serving. Each function\n"
      "has a comment that asks for it, a docstring in the same language, and a body that is right.\n\n"
      "Examples:\n"
      "  weft data lessons --out lessons\n"
      "  weft data lessons --out lessons --count 2000 --seed 7 --hold-out product:3,difference:2");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
