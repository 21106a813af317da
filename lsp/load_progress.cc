#include "lsp/load_progress.h"

#include <utility>

namespace weft::lsp {
namespace {

constexpr const char* kToken = "weft/model";

}  // namespace

void LoadProgress::begin() {
  if (state_ != State::kIdle) return;
  state_ = State::kAsked;
  client_.call("window/workDoneProgress/create", {{"token", kToken}}, [this](const Response& response) {
    if (state_ != State::kAsked || !response.error.is_null()) return;
    state_ = State::kShown;
    send({{"kind", "begin"}, {"title", "weft: loading the model"}, {"percentage", percent_}, {"cancellable", false}});
  });
}

void LoadProgress::report(int percent) {
  percent_ = percent;
  if (state_ == State::kShown) send({{"kind", "report"}, {"percentage", percent}});
}

void LoadProgress::end(std::string message) {
  if (state_ == State::kShown) send({{"kind", "end"}, {"message", std::move(message)}});
  state_ = State::kOver;
}

void LoadProgress::send(Json value) { client_.notify("$/progress", {{"token", kToken}, {"value", std::move(value)}}); }

}  // namespace weft::lsp
