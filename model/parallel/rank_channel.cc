#include "model/parallel/rank_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>

namespace weft::model {
namespace {

constexpr std::uint64_t kMaxMessageBytes = std::uint64_t{1} << 32;

Error gone() { return make_error("the other end of a rank's channel is gone"); }

UniqueFd local_socket() {
  UniqueFd out(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (out.valid()) ::fcntl(out.get(), F_SETFD, FD_CLOEXEC);
  return out;
}

Expected<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return make_error("the path of a socket is too long: {}", path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// The events that have come, 0 when `limit` has passed. Negative limit: none.
short wait_on(int descriptor, short events, int limit_ms) {
  pollfd watched{descriptor, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, limit_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? watched.revents : short{0};
}

bool send_all(int socket, const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = ::send(socket, next, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    next += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t bytes) {
  char* next = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = ::recv(socket, next, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Expected<RankChannel> RankChannel::connect(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  UniqueFd socket = local_socket();
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(sockaddr_un)) != 0) {
    return make_error("rank 0 is not at {}: {}", path, std::strerror(errno));
  }
  return RankChannel(std::move(socket));
}

Expected<void> RankChannel::send(std::span<const std::byte> message) {
  const std::uint64_t length = message.size();
  if (!send_all(socket_.get(), &length, sizeof(length)) || !send_all(socket_.get(), message.data(), message.size())) {
    return gone();
  }
  return {};
}

Expected<Bytes> RankChannel::receive(std::optional<std::chrono::milliseconds> limit) {
  if (limit && !readable(*limit)) return make_error("no answer from a rank within {} ms", limit->count());
  std::uint64_t length = 0;
  if (!receive_all(socket_.get(), &length, sizeof(length))) return gone();
  if (length > kMaxMessageBytes) return make_error("a rank's message claims {} bytes", length);
  Bytes out(length);
  if (!receive_all(socket_.get(), out.data(), out.size())) return gone();
  return out;
}

Expected<void> RankChannel::send_descriptor(int descriptor) {
  char nothing = 0;
  iovec content{&nothing, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) != 1) return gone();
  return {};
}

Expected<UniqueFd> RankChannel::receive_descriptor() {
  char nothing = 0;
  iovec content{&nothing, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(socket_.get(), &message, 0) != 1) return gone();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return make_error("rank 0 sent no descriptor");
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return UniqueFd(descriptor);
}

bool RankChannel::ended() const { return (wait_on(socket_.get(), 0, 0) & (POLLHUP | POLLERR)) != 0; }

bool RankChannel::readable(std::chrono::milliseconds limit) const {
  return wait_on(socket_.get(), POLLIN, static_cast<int>(limit.count())) != 0;
}

bool RankChannel::same_user() const {
#ifdef SO_PEERCRED
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::getuid();
#else
  uid_t user = 0;
  gid_t group = 0;
  return ::getpeereid(socket_.get(), &user, &group) == 0 && user == ::getuid();
#endif
}

Expected<UniqueFd> listen_at(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  UniqueFd socket = local_socket();
  if (!socket.valid() || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(sockaddr_un)) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return make_error("cannot listen at {}: {}", path, std::strerror(errno));
  }
  return socket;
}

Expected<std::optional<RankChannel>> accept_rank(const UniqueFd& listener, std::chrono::milliseconds limit) {
  if (wait_on(listener.get(), POLLIN, static_cast<int>(limit.count())) == 0) return std::optional<RankChannel>();
  UniqueFd socket(::accept(listener.get(), nullptr, nullptr));
  if (!socket.valid()) return make_error("cannot accept a rank: {}", std::strerror(errno));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  return std::optional(RankChannel(std::move(socket)));
}

void end_with(const RankChannel& channel, std::function<void()> before) {
  std::thread([descriptor = channel.descriptor(), before = std::move(before)] {
    // No event is asked for: only the end is reported.
    while ((wait_on(descriptor, 0, -1) & (POLLHUP | POLLERR | POLLNVAL)) == 0) continue;
    before();
    ::_exit(0);
  }).detach();
}

}  // namespace weft::model
