#include "lsp/command/typing_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weft::lsp {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

bool inside_line(const Json& params) {
  for (const Json& change : params.at("contentChanges")) {
    if (!change.contains("range")) return false;
    const Json& range = change["range"];
    if (range.at("start").at("line") != range.at("end").at("line")) return false;
    if (change.at("text").get_ref<const std::string&>().find('\n') != std::string::npos) return false;
  }
  return true;
}

Outcome outcome_of(const Json& message) {
  if (message.contains("error")) {
    const bool cancelled = message["error"].value("code", 0) == static_cast<int>(ErrorCode::kRequestCancelled);
    return cancelled ? Outcome::kCancelled : Outcome::kFailed;
  }
  const Json result = message.value("result", Json());
  if (!result.is_object()) return Outcome::kWithdrawn;
  return result.value("items", Json::array()).empty() ? Outcome::kNothing : Outcome::kOffered;
}

}  // namespace

TypingClient::TypingClient(const TypingStream& stream, TypingDaemon::Connection connection, const Clock& clock,
                           double speed)
    : stream_(stream), connection_(std::move(connection)), clock_(clock), speed_(speed) {}

Expected<void> TypingClient::introduce() { return send(stream_.events.at(next_++).body); }

std::optional<TimePoint> TypingClient::due() const {
  if (next_ >= stream_.events.size()) return std::nullopt;
  const std::chrono::duration<double, std::milli> at(stream_.events[next_].at_ms / speed_);
  return begin_ + std::chrono::duration_cast<TimePoint::duration>(at);
}

Expected<void> TypingClient::send_due() {
  while (const auto at = due()) {
    if (*at > clock_.now()) break;
    if (auto sent = send(stream_.events[next_++].body); !sent) return sent;
  }
  return {};
}

Expected<void> TypingClient::leave() {
  leaving_ = true;
  return send(Json{{"jsonrpc", "2.0"}, {"id", "leave"}, {"method", "shutdown"}});
}

Expected<void> TypingClient::send(const Json& body) {
  const std::string frame = encode_frame(body.dump());
  note_sent(body, clock_.now());
  return write_all(frame);
}

Expected<void> TypingClient::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection_.file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return make_error("{}: the daemon hung up: {}", name(), std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

void TypingClient::note_sent(const Json& body, TimePoint now) {
  const std::string& method = body.at("method").get_ref<const std::string&>();
  if (method == "textDocument/didChange") {
    const Json& params = body.at("params");
    changed_[params.at("textDocument").at("uri")] = {now, inside_line(params)};
  }
  if (!body.contains("id")) return;
  Open open{std::nullopt, now};
  if (method == "textDocument/inlineCompletion") {
    AskedKey& asked = open.asked.emplace();
    if (const auto change = changed_.extract(body.at("params").at("textDocument").at("uri")); !change.empty()) {
      asked.key = true;
      asked.inside_line = change.mapped().inside_line;
      asked.asked_after_ms = milliseconds_between(change.mapped().at, now);
    }
  }
  open_.emplace(body["id"].dump(), std::move(open));
}

Expected<void> TypingClient::read() {
  std::array<char, kChunkBytes> chunk;
  for (;;) {
    const ssize_t count = recv(connection_.file, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (count <= 0) return make_error("{}: the daemon hung up", name());
    frames_.feed({chunk.data(), static_cast<std::size_t>(count)});
    while (auto frame = frames_.next()) {
      if (!*frame) return make_error("{}: the daemon sent a bad frame: {}", name(), frame->error().message);
      if (auto received = receive(Json::parse(**frame)); !received) return received;
    }
  }
}

Expected<void> TypingClient::receive(const Json& message) {
  if (message.contains("method")) {  // the daemon's own requests, such as that for a progress bar, are granted
    if (!message.contains("id")) return {};
    return write_all(encode_frame(encode_result(message["id"], nullptr)));
  }
  auto node = open_.extract(message.at("id").dump());
  if (node.empty()) {
    ++surplus_answers_;
    return {};
  }
  settle(message["id"], std::move(node.mapped()), message);
  return {};
}

void TypingClient::settle(const Json& id, Open open, const Json& message) {
  const auto timings = connection_.timings->take(id);
  if (!open.asked) return;
  open.asked->latency_ms = milliseconds_between(open.since, clock_.now());
  open.asked->outcome = outcome_of(message);
  open.asked->timings = timings;
  answered_.push_back(std::move(*open.asked));
}

std::vector<AskedKey> TypingClient::take_answered() { return std::exchange(answered_, {}); }

}  // namespace weft::lsp
