// Plays typing streams against a TypingDaemon, all of them at once and in real time. Main thread.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "lsp/command/typing_client.h"
#include "lsp/command/typing_daemon.h"
#include "lsp/command/typing_trace.h"
#include "model/base/cancel.h"

namespace weft::lsp {

struct ReplayOptions {
  double speed = 1;   // divides the streams' times
  CancelFlag cancel;  // ends it early
  std::function<void(const TypingStream&, AskedKey)> on_answer;
  std::function<void(double fraction)> on_tick;  // a few times a second
};

struct ReplayEnd {
  std::size_t unanswered = 0;  // requests, when nothing had come for long
  std::size_t surplus = 0;     // answers to what was answered or never asked
  bool interrupted = false;
};

// Each stream has a session of its own, from initialize to shutdown. Their first messages behind `initialize` are due
// at the same moment. Error: a session that ended or that says what is no LSP.
Expected<ReplayEnd> replay(TypingDaemon& daemon, const std::vector<const TypingStream*>& streams,
                           const ReplayOptions& options, const Clock& clock);

}  // namespace weft::lsp
