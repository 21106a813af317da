// `weft doctor`: what is installed, what would be used, what is wrong. Main thread only.
#include "lsp/doctor.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "lsp/command/command.h"

namespace weft::lsp {
namespace {

struct Settings {
  std::string model;
  bool json = false;
};

int run(const Settings& settings) {
  const DoctorReport report = examine(WEFT_VERSION, settings.model);
  if (settings.json) {
    fmt::print("{}\n", to_json(report).dump(2));
  } else {
    fmt::print("{}", to_text(report));
  }
  return report.healthy() ? 0 : 1;
}

}  // namespace

void add_doctor_command(CLI::App& root, int& exit_code) {
  auto settings = std::make_shared<Settings>();
  CLI::App* app = root.add_subcommand("doctor", "Say what is installed, what will be used and what is wrong");
  app->add_option("--model", settings->model, "model directory (default: $WEFT_MODEL, else the one that came along)")
      ->type_name("DIR");
  app->add_flag("--json", settings->json, "print the report as JSON");
  app->footer("Exit code 1 when completion could not work.\n\nExample:\n  weft doctor --json");
  app->callback([settings, &exit_code] { exit_code = run(*settings); });
}

}  // namespace weft::lsp
