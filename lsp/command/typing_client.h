// TypingClient: an editor's side of a session that is played back: sends a stream's messages when their time comes, and
// reads what the daemon says. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generation/completion/completion.h"
#include "lsp/command/typing_daemon.h"
#include "lsp/command/typing_trace.h"
#include "lsp/frame.h"
#include "model/base/clock.h"

namespace weft::lsp {

// What became of a request: kWithdrawn is null, because something newer took its place or it took too long; kCancelled
// is the error that a client gets which cancelled it.
enum class Outcome { kOpen, kOffered, kNothing, kWithdrawn, kCancelled, kFailed };

// An inline completion that was asked for.
struct AskedKey {
  bool key = false;           // follows a change of the document
  bool inside_line = false;   // a change that neither brings nor takes a line's end
  double latency_ms = 0;      // from sending the request to the answer
  double asked_after_ms = 0;  // a key: how long its editor waited after the change before it asked
  Outcome outcome = Outcome::kOpen;
  std::optional<generation::CompletionTimings> timings;  // where the model or its cache had a part in the answer
};

class TypingClient {
 public:
  // Views into `stream` and `clock` are kept: both must outlive the client. `speed` divides its times.
  TypingClient(const TypingStream& stream, TypingDaemon::Connection connection, const Clock& clock, double speed);

  // Sends `initialize`. What follows has its time from `begin` on, which is to come once `initialized`.
  Expected<void> introduce();
  [[nodiscard]] bool initialized() const { return next_ > 0 && open_.empty() && !leaving_; }
  void begin(TimePoint at) { begin_ = at; }

  // When the next message is due; nothing: all are sent.
  [[nodiscard]] std::optional<TimePoint> due() const;
  Expected<void> send_due();
  // Says shutdown. `gone` once that and all else is answered.
  Expected<void> leave();
  [[nodiscard]] bool gone() const { return leaving_ && open_.empty(); }
  Expected<void> read();  // what has arrived; does not wait

  [[nodiscard]] const std::string& name() const { return stream_.name; }
  [[nodiscard]] const TypingDaemon::Connection& connection() const { return connection_; }
  [[nodiscard]] std::size_t unanswered() const { return open_.size(); }
  // Answers to nothing that was asked, or to what had its answer.
  [[nodiscard]] std::size_t surplus_answers() const { return surplus_answers_; }
  // Moves out what is answered since the last call.
  [[nodiscard]] std::vector<AskedKey> take_answered();

 private:
  struct Change {
    TimePoint at;
    bool inside_line = false;
  };
  struct Open {
    std::optional<AskedKey> asked;  // nothing: another request than an inline completion
    TimePoint since;
  };

  Expected<void> send(const Json& body);
  Expected<void> write_all(std::string_view bytes);
  void note_sent(const Json& body, TimePoint now);
  Expected<void> receive(const Json& message);
  void settle(const Json& id, Open open, const Json& message);

  const TypingStream& stream_;
  const TypingDaemon::Connection connection_;
  const Clock& clock_;
  const double speed_;
  TimePoint begin_{};
  std::size_t next_ = 0;
  bool leaving_ = false;
  FrameDecoder frames_;
  std::map<std::string, Open> open_;       // by the id as JSON
  std::map<std::string, Change> changed_;  // by URI: what was not asked about yet
  std::vector<AskedKey> answered_;
  std::size_t surplus_answers_ = 0;
};

}  // namespace weft::lsp
