// `weft`, the companion command: hands the command line to the subcommands and ends with their exit code: 0 done, 1 the
// work failed, 2 wrong usage. Main thread only.
#include <exception>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "lsp/command/command.h"
#include "model/base/log.h"
#include "model/rank.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

// CLI11 has an exit code of its own for each kind of mistake; here they are all wrong usage. Help is a result.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? 0 : kWrongUsage;
}

int run(int argc, char** argv) {
  if (const auto code = weft::model::run_if_started_as_rank()) return *code;
  int exit_code = 0;
  std::string log_level = "warning";
  CLI::App app{"weft: code completion from a language model of your own, on your machine.", "weft"};
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.add_option("--log-level", log_level, "trace, debug, info, warning, error or off")->capture_default_str();
  app.require_subcommand(1);
  app.footer("`weft COMMAND --help` explains a command and shows examples.");
  weft::lsp::add_complete_command(app, exit_code);
  weft::lsp::add_generate_command(app, exit_code);
  weft::lsp::add_adapters_command(app, exit_code);
  weft::lsp::add_doctor_command(app, exit_code);
  weft::lsp::add_models_command(app, exit_code);
  weft::lsp::add_data_command(app, exit_code);
  weft::lsp::add_pretrain_command(app, exit_code);
  weft::lsp::add_train_command(app, exit_code);
  weft::lsp::add_eval_command(app, exit_code);
  weft::lsp::add_bench_command(app, exit_code);
  app.parse_complete_callback([&log_level] {
    const auto ready = weft::init_log(log_level);
    if (!ready) throw CLI::ValidationError("--log-level", ready.error().message);
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "weft: {}\n", error.what());
    return kFailed;
  }
}
