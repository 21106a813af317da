#include "lsp/command/typing_daemon.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <utility>

namespace weft::lsp {

void AnswerTimings::put(const Json& id, const generation::CompletionTimings& timings) {
  const std::lock_guard lock(mutex_);
  of_id_[id.dump()] = timings;
}

std::optional<generation::CompletionTimings> AnswerTimings::take(const Json& id) {
  const std::lock_guard lock(mutex_);
  const auto node = of_id_.extract(id.dump());
  if (node.empty()) return std::nullopt;
  return node.mapped();
}

struct TypingDaemon::Client {
  int file;  // the daemon's end
  ClientSession session;
};

TypingDaemon::TypingDaemon(ReadyModel model) : model_(std::move(model)), thread_([this] { loop_.run(); }) {}

TypingDaemon::~TypingDaemon() {
  run_on_loop([this] {
    for (const auto& [file, client] : clients_) {
      client->session.close();
      close(client->file);
      close(file);
    }
    clients_.clear();
  });
  loop_.stop();
  thread_.join();
}

Expected<TypingDaemon::Connection> TypingDaemon::connect() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return make_error("no sockets for another client: {}", std::strerror(errno));
  }
  Connection connection{ends[0], std::make_shared<AnswerTimings>()};
  run_on_loop([&] {
    ClientSessionOptions options;
    options.input = options.output = ends[1];
    options.server.version = WEFT_VERSION;
    options.server.pending.on_result = [timings = connection.timings](const Json& id,
                                                                      const generation::CompletionResult& result) {
      timings->put(id, result.timings);
    };
    const auto ready = [this](const std::function<void(double)>&) -> Expected<ReadyModel> { return model_; };
    // A session that ended waits for its client to hang up.
    auto client = std::unique_ptr<Client>(new Client{ends[1], {loop_, ready, std::move(options), [](int) {}}});
    client->session.start();
    clients_.emplace(ends[0], std::move(client));
  });
  return connection;
}

void TypingDaemon::disconnect(const Connection& connection) {
  run_on_loop([&] {
    const auto node = clients_.extract(connection.file);
    if (node.empty()) return;
    const int file = node.mapped()->file;
    node.mapped()->session.close();
    node.mapped().reset();
    close(file);
  });
  close(connection.file);
}

void TypingDaemon::run_on_loop(const std::function<void()>& task) {
  std::promise<void> done;
  loop_.post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace weft::lsp
