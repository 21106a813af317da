#include "lsp/daemon/serve.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "lsp/control/control_server.h"
#include "lsp/control/socket_folder.h"
#include "lsp/model_loader.h"
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

// Without it editors are served all the same: only commands cannot reach this daemon.
std::shared_ptr<void> open_control_channel(AsioLoop& loop, const ModelHost& model) {
  const auto folder = open_socket_folder(places_from_environment());
  auto server = folder ? ControlServer::listen(loop, model, {.folder = *folder, .identity = {WEFT_VERSION, getpid()}})
                       : Expected<std::unique_ptr<ControlServer>>(folder.error());
  if (!server) {
    spdlog::warn("there is no control channel: {}", server.error().message);
    return nullptr;
  }
  spdlog::info("the control channel is at {}", (*server)->path());
  return std::shared_ptr<ControlServer>(std::move(*server));
}

}  // namespace

int serve(const DaemonOptions& options) {
  SessionOptions session;
  session.client.input = STDIN_FILENO;
  session.client.output = take_stdout();
  if (session.client.output < 0) return fail(make_error("stdout is closed"));
  session.client.server.version = WEFT_VERSION;
  session.attach = open_control_channel;
  if (!options.record.empty()) {
    auto recorder = Recorder::open(options.record, std::make_shared<const SteadyClock>());
    if (!recorder) return fail(recorder.error());
    session.client.recorder = std::move(*recorder);
  }
  return run_session(make_model_loader(options.loader), std::move(session), [](const SessionEnd& end) {
    if (!end.still_loading) return;
    spdlog::shutdown();
    std::_Exit(end.exit_code);
  });
}

}  // namespace weft::lsp
