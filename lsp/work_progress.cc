#include "lsp/work_progress.h"

#include <optional>
#include <utility>

namespace weft::lsp {

struct WorkProgress::State {
  enum class Phase { kIdle, kAsked, kShown, kOver };

  void show() {
    phase = Phase::kShown;
    Json value = {{"kind", "begin"}, {"title", label.title}, {"cancellable", label.cancellable}};
    if (percent) value["percentage"] = *percent;
    send(value);
  }
  void send(const Json& value) const { client.notify("$/progress", {{"token", label.token}, {"value", value}}); }

  Dispatcher& client;
  const WorkLabel label;
  Phase phase = Phase::kIdle;
  std::optional<int> percent;  // of work that can be measured
};

WorkProgress::WorkProgress(Dispatcher& client, WorkLabel label)
    : state_(std::make_shared<State>(client, std::move(label))) {}

void WorkProgress::begin() {
  if (state_->phase != State::Phase::kIdle) return;
  if (state_->label.origin == TokenOrigin::kClient) return state_->show();
  state_->phase = State::Phase::kAsked;
  state_->client.call("window/workDoneProgress/create", {{"token", token()}},
                      [state = state_](const Response& response) {
                        if (state->phase == State::Phase::kAsked && response.error.is_null()) state->show();
                      });
}

void WorkProgress::report(int percent) {
  state_->percent = percent;
  if (state_->phase == State::Phase::kShown) state_->send({{"kind", "report"}, {"percentage", percent}});
}

void WorkProgress::end(const std::string& message) {
  if (!state_) return;  // moved from
  const bool shown = state_->phase == State::Phase::kShown;
  state_->phase = State::Phase::kOver;
  if (!shown) return;
  Json value = {{"kind", "end"}};
  if (!message.empty()) value["message"] = message;
  state_->send(value);
}

const Json& WorkProgress::token() const { return state_->label.token; }

}  // namespace weft::lsp
