// ControlSession: one conversation on the control channel, without any I/O of its own: bytes in, bytes out. I/O thread
// only. The framing and JSON-RPC are LSP's, and so is the beginning: `initialize` first. Then `weft/status` and
// weft/adapters (see adapter_methods.h). What is no message is answered as such and ends the conversation.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "lsp/adapter_methods.h"
#include "lsp/dispatcher.h"
#include "lsp/frame.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"

namespace weft::lsp {

struct ControlIdentity {
  std::string version;
  pid_t pid = 0;
};

class ControlSession {
 public:
  // `send` gets whole frames.
  ControlSession(Loop& loop, const ModelHost& model, ControlIdentity identity, FrameLimits limits,
                 std::function<void(std::string bytes)> send);

  void receive(std::string_view bytes);
  // Nothing more is read; what was asked before is still answered.
  [[nodiscard]] bool over() const { return broken_ || dispatcher_.exit_code().has_value(); }
  [[nodiscard]] std::size_t open_requests() const { return adapters_.open_requests(); }

 private:
  FrameDecoder frames_;
  bool broken_ = false;
  Dispatcher dispatcher_;
  AdapterMethods adapters_;
};

}  // namespace weft::lsp
