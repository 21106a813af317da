// weftd's command line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "lsp/model_loader.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct DaemonOptions {
  ModelLoaderOptions loader;
  std::string log_level = "warning";
  std::string log_file;  // empty: stderr alone
  std::string record;    // empty: no recording
  std::string check;     // FILE:LINE:COL of `weftd check`; empty: serve
};

// The options, or the exit code when the command line has said all there is to do (--help, --version, wrong usage).
// Prints the help to stdout and what is wrong to stderr.
std::variant<DaemonOptions, int> parse_daemon_options(int argc, char** argv);

// To stderr, and to the file when there is one, which only its owner can read. Error: an unknown level, no such folder.
Expected<void> start_log(const DaemonOptions& options);

}  // namespace weft::lsp
