// TypingDaemon: the daemon's own classes inside this process, one model for several clients: a loop on a thread of its
// own, and on it a ClientSession for each who connects. All members are for the one thread that made it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "generation/completion/completion.h"
#include "lsp/asio_loop.h"
#include "lsp/client_session.h"

namespace weft::lsp {

// What the answers to a client's requests took, by the request's id as JSON. Thread-safe.
class AnswerTimings {
 public:
  void put(const Json& id, const generation::CompletionTimings& timings);
  // Nothing: that request was answered without a result of the model's. Each is given once.
  std::optional<generation::CompletionTimings> take(const Json& id);

 private:
  std::mutex mutex_;
  std::map<std::string, generation::CompletionTimings> of_id_;
};

class TypingDaemon {
 public:
  struct Connection {
    int file = -1;  // a socket: what a client writes to the daemon's input and reads from its output
    std::shared_ptr<AnswerTimings> timings;
  };

  explicit TypingDaemon(ReadyModel model);
  ~TypingDaemon();
  TypingDaemon(const TypingDaemon&) = delete;
  TypingDaemon& operator=(const TypingDaemon&) = delete;

  // Error: the system gives no sockets.
  Expected<Connection> connect();
  // The session is gone and the socket closed when this returns.
  void disconnect(const Connection& connection);

 private:
  struct Client;

  void run_on_loop(const std::function<void()>& task);

  AsioLoop loop_;  // before the model, whose threads post to it
  const ReadyModel model_;
  std::map<int, std::unique_ptr<Client>> clients_;  // by the client's socket; on the loop's thread alone
  std::thread thread_;
};

}  // namespace weft::lsp
