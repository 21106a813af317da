#include "lsp/daemon/options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <spdlog/sinks/basic_file_sink.h>
#include <CLI/CLI.hpp>

#include "model/base/log.h"
#include "model/runner.h"

namespace weft::lsp {
namespace {

constexpr int kWrongUsage = 2;

void add_serving(CLI::App& app, DaemonOptions& options, bool& ignored) {
  app.add_flag("--stdio", ignored, "speak on stdin and stdout (the default, and so far the only way)");
  app.add_flag("--no-share", ignored, "serve in this process (so far always so)");
  app.add_option("--record", options.record,
                 "mirror every message in and out into FILE, for replaying; only its owner can read it, and it holds "
                 "your code as it was sent")
      ->type_name("FILE");
}

void add_common(CLI::App& app, DaemonOptions& options) {
  add_model_options(app, options.loader.model);
  app.add_option("--adapter", options.loader.adapters,
                 "install the adapter in DIR once the model is there; may be given several times")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("--memory", options.loader.memory,
                 "what is looked up for what follows: none, the open document, its project as well, or its Python "
                 "environment too (the default)")
      ->type_name("REACH")
      ->transform(CLI::CheckedTransformer(memory_reaches()));
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error or off")->capture_default_str();
  app.add_option("--log-file", options.log_file, "write the log to FILE too; it never holds the text of documents")
      ->type_name("FILE");
}

}  // namespace

std::variant<DaemonOptions, int> parse_daemon_options(int argc, char** argv) {
  DaemonOptions options;
  bool ignored = false;
  CLI::App app{"weftd: the language server that completes code with its own model, on your machine.", "weftd"};
  app.set_version_flag("--version", "weftd " WEFT_VERSION);
  add_common(app, options);
  add_serving(app, options, ignored);
  app.footer(
      "Editors start weftd themselves and speak the Language Server Protocol on stdin and stdout.\n"
      "Exit codes: 0 after shutdown, at SIGTERM and SIGINT, 1 when the input ends without shutdown, 2 wrong usage.\n\n"
      "Examples:\n"
      "  weftd --model ./my-model\n"
      "  weftd --adapter ./bugs --adapter ./refactor\n"
      "  weftd check app.py:12:9");
  CLI::App* check = app.add_subcommand("check", "Open a file as an editor would and print what is offered at a place");
  check->add_option("location", options.check, "line and column from 1, columns in characters")
      ->required()
      ->type_name("FILE:LINE:COL");
  add_common(*check, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUsage;
  }
  return options;
}

Expected<void> start_log(const DaemonOptions& options) {
  auto started = init_log(options.log_level);
  if (!started || options.log_file.empty()) return started;
  const int file = ::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return make_error("--log-file {}: {}", options.log_file, std::strerror(errno));
  ::close(file);
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.log_file);
    sink->set_pattern("[%Y-%m-%d %H:%M:%S.%e] %l %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return make_error("--log-file {}: {}", options.log_file, error.what());
  }
  spdlog::default_logger()->flush_on(spdlog::level::info);
  return {};
}

}  // namespace weft::lsp
