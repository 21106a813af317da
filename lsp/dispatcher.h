// Dispatcher: one client's conversation. Takes bodies, keeps the lifecycle (initialize … shutdown, exit), finds the
// handler by method, answers what has none, and matches the client's answers to the server's own requests. I/O thread
// only. Every request that comes in gets a Reply, hence exactly one answer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lsp/json_rpc.h"
#include "lsp/reply.h"
#include "model/base/expected.h"

namespace weft::lsp {

class Dispatcher {
 public:
  using InitializeHandler = std::function<Expected<Json>(const Json& params)>;  // an error is InvalidParams
  using RequestHandler = std::function<void(const Json& params, Reply reply)>;
  using NotificationHandler = std::function<void(const Json& params)>;
  using AnswerHandler = std::function<void(const Response& response)>;

  // `send` gets bodies in the order they have to go out.
  explicit Dispatcher(Reply::Send send) : send_(std::move(send)) {}

  void on_initialize(InitializeHandler handler) { initialize_ = std::move(handler); }
  void on_shutdown(std::function<void()> handler) { shutdown_ = std::move(handler); }
  void on_request(std::string method, RequestHandler handler) { requests_[std::move(method)] = std::move(handler); }
  void on_notification(std::string method, NotificationHandler handler) {
    notifications_[std::move(method)] = std::move(handler);
  }

  void receive(std::string_view body);
  // A frame whose body could not be found: answered as a parse error.
  void receive_bad_frame(const Error& error);

  void notify(std::string_view method, const Json& params);
  void call(std::string_view method, const Json& params, AnswerHandler handler);

  // Set once `exit` came: 0 after shutdown, 1 without.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }
  // What the input's end means now: the exit code.
  [[nodiscard]] int exit_code_at_end() const { return exit_code_.value_or(phase_ == Phase::kShutDown ? 0 : 1); }
  [[nodiscard]] bool running() const { return phase_ == Phase::kRunning; }

 private:
  enum class Phase { kNew, kRunning, kShutDown };

  void handle(Request request);
  void handle(Notification notification);
  void handle(Response response);
  void handle(Malformed malformed);
  void initialize(const Json& params, Reply reply);

  Reply::Send send_;
  Phase phase_ = Phase::kNew;
  std::optional<int> exit_code_;
  InitializeHandler initialize_;
  std::function<void()> shutdown_;
  std::map<std::string, RequestHandler, std::less<>> requests_;
  std::map<std::string, NotificationHandler, std::less<>> notifications_;
  std::map<std::int64_t, AnswerHandler> calls_;
  std::int64_t next_call_ = 1;
};

}  // namespace weft::lsp
