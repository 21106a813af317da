// WorkProgress: shows in the editor that something takes its time, by $/progress. I/O thread only. A token that came
// with the client's own request is used at once. To a token of weft's making the client has to agree first; when the
// work is over before it does, nothing is shown. What was shown is ended, at the latest by the destructor.
#pragma once

#include <memory>
#include <string>

#include "lsp/dispatcher.h"

namespace weft::lsp {

enum class TokenOrigin { kClient, kServer };

struct WorkLabel {
  Json token;
  TokenOrigin origin = TokenOrigin::kServer;
  std::string title;
  bool cancellable = false;
};

class WorkProgress {
 public:
  // Shows nothing until `begin`. `client` outlives this.
  WorkProgress(Dispatcher& client, WorkLabel label);
  ~WorkProgress() { end({}); }
  WorkProgress(WorkProgress&&) = default;
  WorkProgress& operator=(WorkProgress&&) = delete;

  void begin();
  void report(int percent);
  void end(const std::string& message);  // empty: none

  [[nodiscard]] const Json& token() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the client's answer, which may come when this is gone
};

}  // namespace weft::lsp
