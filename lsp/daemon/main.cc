// `weftd`, the daemon: reads the command line and serves, or checks one place; or is a rank of another weftd. Exit
// codes: as the protocol says when serving (0 after shutdown, 1 without), 2 wrong usage.
#include <exception>
#include <variant>

#include <fmt/format.h>

#include "lsp/daemon/check.h"
#include "lsp/daemon/options.h"
#include "lsp/daemon/serve.h"
#include "model/rank.h"

namespace {

constexpr int kFailed = 1, kWrongUsage = 2;

int run(int argc, char** argv) {
  if (const auto code = weft::model::run_if_started_as_rank()) return *code;
  const auto parsed = weft::lsp::parse_daemon_options(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<weft::lsp::DaemonOptions>(parsed);
  if (const auto started = weft::lsp::start_log(options); !started) {
    fmt::print(stderr, "weftd: {}\n", started.error().message);
    return kWrongUsage;
  }
  if (const auto code = weft::model::run_if_launched_as_rank(options.loader.model.tensor_parallel)) return *code;
  return options.check.empty() ? weft::lsp::serve(options) : weft::lsp::check(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "weftd: {}\n", error.what());
    return kFailed;
  }
}
