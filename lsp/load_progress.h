// LoadProgress: shows in the editor that the model is being loaded, by window/workDoneProgress. I/O thread only. The
// client has to agree to the token first; when the model is there before it does, nothing is shown.
#pragma once

#include <string>

#include "lsp/dispatcher.h"

namespace weft::lsp {

class LoadProgress {
 public:
  explicit LoadProgress(Dispatcher& client) : client_(client) {}

  // When the client is initialized, if the model is still loading and the client can show progress.
  void begin();
  void report(int percent);
  void end(std::string message);

 private:
  enum class State { kIdle, kAsked, kShown, kOver };
  void send(Json value);

  Dispatcher& client_;
  State state_ = State::kIdle;
  int percent_ = 0;
};

}  // namespace weft::lsp
