// ClientSession: one client, from bytes on two file descriptors to a Server and back. Several may live on one loop. I/O
// thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lsp/completion_backend.h"
#include "lsp/frame.h"
#include "lsp/recorder.h"
#include "lsp/server.h"
#include "lsp/stdio_transport.h"

namespace weft::lsp {

struct ClientSessionOptions {
  int input = 0, output = 1;  // stay the caller's
  ServerOptions server;
  FrameLimits frames;
  TransportOptions transport;
  std::unique_ptr<Recorder> recorder;  // may be null
};

class ClientSession {
 public:
  // `on_end` is called once, with the exit code that the lifecycle gives: the client said `exit`, its input ended, or
  // it was lost (0 after shutdown, else 1). It must not destroy the session.
  ClientSession(Loop& loop, ModelLoader loader, ClientSessionOptions options, std::function<void(int)> on_end);
  ~ClientSession() { close(); }
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  void start() { server_.start(); }
  // Writes what is unsent; nothing is read, sent or told afterwards.
  void close();
  [[nodiscard]] const Server& server() const { return server_; }

 private:
  void receive(std::string_view bytes);
  void send(const std::string& body);
  void end(int exit_code);

  // In the order in which they may go: the transport first, since it calls the server.
  FrameDecoder frames_;
  std::unique_ptr<Recorder> recorder_;
  std::function<void(int)> on_end_;
  bool ended_ = false;
  Server server_;
  std::optional<StdioTransport> transport_;
};

}  // namespace weft::lsp
