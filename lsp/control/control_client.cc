#include "lsp/control/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "lsp/control/socket_folder.h"

namespace weft::lsp {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kChunkBytes = std::size_t{16} << 10;
#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;  // a daemon that is gone is an error of send
#else
constexpr int kSendFlags = 0;
#endif

}  // namespace

Expected<ControlClient> ControlClient::connect(const std::string& path, ClientOptions options) {
  const auto socket = connect_to_socket(path);
  if (!socket) return socket.error();
  ControlClient client(*socket, std::move(options));
  const auto peer = peer_of(*socket);
  if (!peer) return peer.error();
  if (*peer != geteuid()) return make_error("{} is served by user {}", path, *peer);
  const auto greeted =
      client.ask("initialize", {{"processId", getpid()},
                                {"clientInfo", {{"name", "weft"}, {"version", client.options_.version}}},
                                {"capabilities", Json::object()}});
  if (!greeted) return greeted.error();
  return client;
}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      options_(std::move(other.options_)),
      frames_(std::move(other.frames_)),
      last_id_(other.last_id_) {}

ControlClient::~ControlClient() {
  if (socket_ >= 0) ::close(socket_);
}

Expected<Json> ControlClient::ask(std::string_view method, const Json& params) {
  const Deadline deadline = steady_clock::now() + options_.patience;
  const std::int64_t id = ++last_id_;
  if (auto sent = send(encode_frame(encode_request(id, method, params)), deadline); !sent) return sent.error();
  for (;;) {
    const auto body = next_frame(deadline);
    if (!body) return body.error();
    const Message message = parse_message(*body);
    const auto* response = std::get_if<Response>(&message);
    if (response == nullptr || response->id != id) continue;  // a notification
    if (response->error.is_null()) return response->result;
    const auto text = response->error.is_object() ? response->error.find("message") : response->error.end();
    const bool told = response->error.is_object() && text != response->error.end() && text->is_string();
    return make_error("{}", told ? text->get<std::string>() : response->error.dump());
  }
}

Expected<void> ControlClient::wait_until(short events, Deadline deadline) const {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return make_error("no answer within {} ms", options_.patience.count());
    pollfd watched{socket_, events, 0};
    const int ready = poll(&watched, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return make_error("waiting failed: {}", std::strerror(errno));
  }
}

Expected<void> ControlClient::send(std::string_view bytes, Deadline deadline) const {
  while (!bytes.empty()) {
    if (auto ready = wait_until(POLLOUT, deadline); !ready) return ready;
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), kSendFlags);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      return make_error("weftd does not listen any more: {}", std::strerror(errno));
    }
  }
  return {};
}

Expected<std::string> ControlClient::next_frame(Deadline deadline) {
  for (;;) {
    if (auto frame = frames_.next()) return std::move(*frame);
    if (auto ready = wait_until(POLLIN, deadline); !ready) return ready.error();
    std::array<char, kChunkBytes> chunk{};
    const ssize_t count = recv(socket_, chunk.data(), chunk.size(), 0);
    if (count == 0) return make_error("weftd closed the connection");
    if (count < 0 && errno != EAGAIN && errno != EINTR) return make_error("reading failed: {}", std::strerror(errno));
    if (count > 0) frames_.feed({chunk.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace weft::lsp
