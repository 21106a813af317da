// ControlClient: one conversation with a running daemon, for commands: it waits for each answer. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lsp/frame.h"
#include "lsp/json_rpc.h"
#include "model/base/expected.h"

namespace weft::lsp {

struct ClientOptions {
  std::string version;                         // of the command, told to the daemon
  std::chrono::milliseconds patience{60'000};  // for one answer
};

class ControlClient {
 public:
  // Connects and says `initialize`. Errors: nobody listens there, another user's process does, no answer in time.
  static Expected<ControlClient> connect(const std::string& path, ClientOptions options);
  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&&) = delete;
  ~ControlClient();

  // The result. Errors: what the daemon answered instead, no answer in time, a connection that ended.
  Expected<Json> ask(std::string_view method, const Json& params);

 private:
  ControlClient(int socket, ClientOptions options) : socket_(socket), options_(std::move(options)) {}
  using Deadline = std::chrono::steady_clock::time_point;
  Expected<void> wait_until(short events, Deadline deadline) const;
  Expected<void> send(std::string_view bytes, Deadline deadline) const;
  Expected<std::string> next_frame(Deadline deadline);

  int socket_;  // -1: moved from
  ClientOptions options_;
  FrameDecoder frames_;
  std::int64_t last_id_ = 0;
};

}  // namespace weft::lsp
