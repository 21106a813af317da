// ControlServer: the daemon's owner-only socket, on the session's loop. I/O thread only; never blocks. It lives as long
// as the session does, and takes its socket with it. Only the user who runs the daemon is let in; how many clients
// there are, what one may send, leave unread or keep open without a word, is limited.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "lsp/asio_loop.h"
#include "lsp/control/control_session.h"
#include "lsp/model_host.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct ControlOptions {
  std::string folder{};  // as open_socket_folder gave it
  ControlIdentity identity{};
  std::size_t most_clients = 16;
  FrameLimits frames{.header_bytes = std::size_t{4} << 10, .body_bytes = std::size_t{1} << 20};
  std::size_t unsent_limit_bytes = std::size_t{4} << 20;
  std::chrono::milliseconds idle_limit{60'000};  // without a byte from the client and without a request under way
};

class ControlServer {
 public:
  // Also removes what dead daemons left in the folder. Error: the socket cannot be made. `loop` and `model` outlive it.
  static Expected<std::unique_ptr<ControlServer>> listen(AsioLoop& loop, const ModelHost& model,
                                                         ControlOptions options);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] std::size_t clients() const;

 private:
  class Impl;
  explicit ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace weft::lsp
