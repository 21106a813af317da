// A process that serves one client, from the first byte to the exit code: its loop, its signals, its ClientSession.
// `run_session` makes the calling thread the I/O thread.
#pragma once

#include <functional>
#include <memory>

#include "lsp/asio_loop.h"
#include "lsp/client_session.h"
#include "lsp/completion_backend.h"

namespace weft::lsp {

struct SessionOptions {
  ClientSessionOptions client;
  // What else lives on the session's loop, such as the control channel. Made before the loop runs, gone once it has
  // ended. May be empty.
  std::function<std::shared_ptr<void>(AsioLoop& loop, const ModelHost& model)> attach;
};

struct SessionEnd {
  int exit_code = 1;
  bool still_loading =
      false;  // the loading thread cannot be interrupted: the process should end without waiting for it
};

// Ends when the client says `exit`, at the input's end, when the client is lost (both as the lifecycle says: 0 after
// shutdown, else 1), or at SIGTERM or SIGINT (0). `on_end` is called before the model is waited for.
int run_session(ModelLoader loader, SessionOptions options, const std::function<void(const SessionEnd&)>& on_end);

}  // namespace weft::lsp
