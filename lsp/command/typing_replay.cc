#include "lsp/command/typing_replay.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

namespace weft::lsp {
namespace {

constexpr std::chrono::milliseconds kTick{200};
constexpr std::chrono::seconds kPatience{15};  // for answers when nothing is due; the daemon's own limit is 5

class Replay {
 public:
  Replay(TypingDaemon& daemon, const ReplayOptions& options, const Clock& clock)
      : daemon_(daemon), options_(options), clock_(clock) {}
  ~Replay() {
    for (const auto& client : clients_) daemon_.disconnect(client->connection());
  }

  Expected<void> connect(const std::vector<const TypingStream*>& streams) {
    for (const TypingStream* stream : streams) {
      auto connection = daemon_.connect();
      if (!connection) return connection.error();
      streams_.push_back(stream);
      clients_.push_back(std::make_unique<TypingClient>(*stream, *std::move(connection), clock_, options_.speed));
      last_ms_ = std::max(last_ms_, stream->events.back().at_ms / options_.speed);
      if (auto sent = clients_.back()->introduce(); !sent) return sent;
    }
    return serve([](const TypingClient& client) { return client.initialized(); });
  }

  Expected<void> type() {
    begin_ = last_tick_ = clock_.now();
    typing_ = true;
    for (const auto& client : clients_) client->begin(begin_);
    auto served = serve([](const TypingClient& client) { return !client.due() && client.unanswered() == 0; });
    for (const auto& client : clients_) end_.unanswered += client->unanswered();
    return served;
  }

  Expected<void> leave() {
    typing_ = false;
    for (const auto& client : clients_) {
      if (auto sent = client->leave(); !sent) return sent;
    }
    return serve([](const TypingClient& client) { return client.gone(); });
  }

  [[nodiscard]] ReplayEnd end() const {
    ReplayEnd out = end_;
    out.interrupted = options_.cancel.cancelled();
    if (out.interrupted) out.unanswered = 0;
    for (const auto& client : clients_) out.surplus += client->surplus_answers();
    return out;
  }

 private:
  // Until all clients are `done`, nothing was due for long, or the user wants no more.
  template <typename Done>
  Expected<void> serve(Done done) {
    TimePoint quiet_since = clock_.now();
    while (!options_.cancel.cancelled()) {
      if (std::ranges::all_of(clients_, [&](const auto& client) { return done(*client); })) return {};
      const std::optional<TimePoint> due = next_due();
      if (due) quiet_since = std::max(quiet_since, *due);
      if (clock_.now() - quiet_since > kPatience) return {};
      wait_until(due);
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        if (auto served = serve(*clients_[i], *streams_[i]); !served) return served;
      }
      tick();
    }
    return {};
  }

  Expected<void> serve(TypingClient& client, const TypingStream& stream) {
    if (auto read = client.read(); !read) return read;
    for (AskedKey& asked : client.take_answered()) {
      if (options_.on_answer) options_.on_answer(stream, std::move(asked));
    }
    return typing_ ? client.send_due() : Expected<void>();
  }

  [[nodiscard]] std::optional<TimePoint> next_due() const {
    std::optional<TimePoint> first;
    for (const auto& client : clients_) {
      const auto due = typing_ ? client->due() : std::nullopt;
      if (due && (!first || *due < *first)) first = due;
    }
    return first;
  }

  // Or until something arrives, or the next tick.
  void wait_until(std::optional<TimePoint> due) {
    std::vector<pollfd> files;
    for (const auto& client : clients_) files.push_back({client->connection().file, POLLIN, 0});
    std::chrono::nanoseconds left = kTick;
    if (due) left = std::clamp<std::chrono::nanoseconds>(*due - clock_.now(), std::chrono::nanoseconds(0), left);
    const timespec limit{static_cast<time_t>(left / std::chrono::seconds(1)),
                         static_cast<long>((left % std::chrono::seconds(1)).count())};
    ppoll(files.data(), files.size(), &limit, nullptr);
  }

  void tick() {
    const TimePoint now = clock_.now();
    if (!typing_ || !options_.on_tick || now - last_tick_ < kTick) return;
    last_tick_ = now;
    options_.on_tick(last_ms_ > 0 ? std::min(1.0, milliseconds_between(begin_, now) / last_ms_) : 1);
  }

  TypingDaemon& daemon_;
  const ReplayOptions& options_;
  const Clock& clock_;
  std::vector<const TypingStream*> streams_;
  std::vector<std::unique_ptr<TypingClient>> clients_;  // of the streams, in their order
  double last_ms_ = 0;                                  // when the last message is due
  bool typing_ = false;
  TimePoint begin_{}, last_tick_{};
  ReplayEnd end_;
};

}  // namespace

Expected<ReplayEnd> replay(TypingDaemon& daemon, const std::vector<const TypingStream*>& streams,
                           const ReplayOptions& options, const Clock& clock) {
  Replay play(daemon, options, clock);
  if (auto connected = play.connect(streams); !connected) return connected.error();
  if (auto typed = play.type(); !typed) return typed.error();
  if (auto left = play.leave(); !left) return left.error();
  return play.end();
}

}  // namespace weft::lsp
