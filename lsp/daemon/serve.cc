#include "lsp/daemon/serve.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "lsp/daemon/model_loader.h"
#include "lsp/session.h"
#include "model/base/clock.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

constexpr int kFailed = 1;

// stdout belongs to the transport: it gets a descriptor of its own, and whatever else in this process writes to
// descriptor 1 lands in stderr.
int take_stdout() {
  const int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (output >= 0) dup2(STDERR_FILENO, STDOUT_FILENO);
  return output;
}

int fail(const Error& error) {
  fmt::print(stderr, "weftd: {}\n", error.message);
  return kFailed;
}

}  // namespace

int serve(const DaemonOptions& options) {
  SessionOptions session;
  session.input = STDIN_FILENO;
  session.output = take_stdout();
  if (session.output < 0) return fail(make_error("stdout is closed"));
  session.server.version = WEFT_VERSION;
  if (!options.record.empty()) {
    auto recorder = Recorder::open(options.record, std::make_shared<const SteadyClock>());
    if (!recorder) return fail(recorder.error());
    session.recorder = std::move(*recorder);
  }
  return run_session(make_model_loader(options), std::move(session), [](const SessionEnd& end) {
    if (!end.still_loading) return;
    spdlog::shutdown();
    std::_Exit(end.exit_code);
  });
}

}  // namespace weft::lsp
