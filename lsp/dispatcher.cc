#include "lsp/dispatcher.h"

#include <exception>
#include <utility>
#include <variant>

#include "model/base/log.h"

namespace weft::lsp {
namespace {

// Method names come from outside: short ones are enough to recognise.
std::string_view shown(std::string_view method) { return method.substr(0, 80); }

}  // namespace

void Dispatcher::receive(std::string_view body) {
  if (exit_code_) return;
  Message message = parse_message(body);
  // The wall for handlers: what they throw is a bug, and a Reply on the way answers for it.
  try {
    std::visit([this](auto&& part) { handle(std::move(part)); }, std::move(message));
  } catch (const std::exception& error) {
    spdlog::error("a message handler failed: {}", error.what());
  }
}

void Dispatcher::receive_bad_frame(const Error& error) {
  handle(Malformed{nullptr, {ErrorCode::kParseError, error.message}});
}

void Dispatcher::handle(Request request) {
  Reply reply(std::move(request.id), send_);
  if (phase_ == Phase::kShutDown) {
    return std::move(reply).error(ErrorCode::kInvalidRequest, "weft has been shut down");
  }
  if (request.method == "initialize") return initialize(request.params, std::move(reply));
  if (phase_ == Phase::kNew) {
    return std::move(reply).error(ErrorCode::kServerNotInitialized, "initialize has to come first");
  }
  if (request.method == "shutdown") {
    phase_ = Phase::kShutDown;
    if (shutdown_) shutdown_();
    return std::move(reply).result(nullptr);
  }
  const auto handler = requests_.find(request.method);
  if (handler == requests_.end()) {
    return std::move(reply).error(ErrorCode::kMethodNotFound,
                                  fmt::format("unknown method '{}'", shown(request.method)));
  }
  handler->second(request.params, std::move(reply));
}

void Dispatcher::initialize(const Json& params, Reply reply) {
  if (phase_ != Phase::kNew) {
    return std::move(reply).error(ErrorCode::kInvalidRequest, "initialize came a second time");
  }
  auto result = initialize_(params);
  if (!result) return std::move(reply).error(ErrorCode::kInvalidParams, result.error().message);
  phase_ = Phase::kRunning;
  std::move(reply).result(*result);
}

void Dispatcher::handle(Notification notification) {
  if (notification.method == "exit") {
    exit_code_ = exit_code_at_end();
    return;
  }
  if (phase_ != Phase::kRunning) {
    spdlog::debug("'{}' is ignored: it came outside of initialize and shutdown", shown(notification.method));
    return;
  }
  const auto handler = notifications_.find(notification.method);
  if (handler != notifications_.end()) return handler->second(notification.params);
  // Those that begin with $/ are meant to be ignored by whoever does not know them.
  if (!notification.method.starts_with("$/")) spdlog::debug("'{}' is ignored", shown(notification.method));
}

void Dispatcher::handle(Response response) {
  const auto call = response.id.is_number_integer() ? calls_.find(response.id.get<std::int64_t>()) : calls_.end();
  if (call == calls_.end()) {
    spdlog::debug("an answer to nothing that was asked is ignored");
    return;
  }
  const AnswerHandler handler = std::move(call->second);
  calls_.erase(call);
  handler(response);
}

void Dispatcher::handle(Malformed malformed) {
  spdlog::warn("malformed message: {}", malformed.error.message);
  send_(encode_error(malformed.id, malformed.error));
}

void Dispatcher::notify(std::string_view method, const Json& params) { send_(encode_notification(method, params)); }

void Dispatcher::call(std::string_view method, const Json& params, AnswerHandler handler) {
  const std::int64_t id = next_call_++;
  calls_[id] = std::move(handler);
  send_(encode_request(id, method, params));
}

}  // namespace weft::lsp
