#include "lsp/stdio_transport.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <memory>
#include <utility>

#include "model/base/check.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr int kPollForever = -1;

}  // namespace

// One mutex; what the two threads, the I/O thread and tasks in the loop share.
struct StdioTransport::State {
  std::mutex mutex;
  std::condition_variable changed;
  Handlers handlers;
  bool closing = false;
  bool lost = false;
  bool chunk_handled = true;
  std::string unsent;
  SteadyTime flush_until = SteadyTime::max();  // set by close
};

StdioTransport::StdioTransport(Loop& loop, int input, int output, Handlers handlers, TransportOptions options)
    : loop_(loop), input_(input), output_(output), options_(options), state_(std::make_shared<State>()) {
  state_->handlers = std::move(handlers);
  WEFT_CHECK(pipe2(wake_, O_CLOEXEC) == 0);
  reader_ = std::thread([this] { read_loop(); });
  writer_ = std::thread([this] { write_loop(); });
}

bool StdioTransport::hand_over(std::string chunk) {
  const auto state = state_;
  {
    const std::lock_guard lock(state->mutex);
    if (state->closing) return false;
    state->chunk_handled = false;
  }
  loop_.post([state, chunk = std::move(chunk)] {
    {
      const std::lock_guard lock(state->mutex);
      if (state->closing) return;
    }
    state->handlers.on_bytes(chunk);
    const std::lock_guard lock(state->mutex);
    state->chunk_handled = true;
    state->changed.notify_all();
  });
  std::unique_lock lock(state->mutex);
  state->changed.wait(lock, [&] { return state->chunk_handled || state->closing; });
  return !state->closing;
}

void StdioTransport::read_loop() {
  std::string buffer(kChunkBytes, '\0');
  for (;;) {
    std::array<pollfd, 2> watched = {pollfd{input_, POLLIN, 0}, pollfd{wake_[0], POLLIN, 0}};
    if (poll(watched.data(), watched.size(), kPollForever) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) return;
    if (watched[0].revents == 0) continue;
    const ssize_t count = read(input_, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) spdlog::warn("the input cannot be read: {}", std::strerror(errno));
    if (count <= 0) break;
    if (!hand_over(buffer.substr(0, static_cast<std::size_t>(count)))) return;
  }
  loop_.post([state = state_] {
    {
      const std::lock_guard lock(state->mutex);
      if (state->closing) return;
    }
    state->handlers.on_end();
  });
}

void StdioTransport::send(std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  if (state_->lost || state_->closing) return;
  if (state_->unsent.size() + bytes.size() > options_.unsent_limit_bytes) {
    spdlog::error("the client does not read: {} bytes wait for it", state_->unsent.size());
    state_->lost = true;
    loop_.post([state = state_] { state->handlers.on_lost(); });
    return;
  }
  state_->unsent += bytes;
  state_->changed.notify_all();
}

// Never more than what a ready pipe takes at once, so that the limit of `close` holds for a client that stopped
// reading.
bool StdioTransport::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    SteadyTime until;
    {
      const std::lock_guard lock(state_->mutex);
      until = state_->flush_until;
    }
    std::array<pollfd, 2> watched = {pollfd{output_, POLLOUT, 0}, pollfd{wake_[0], POLLIN, 0}};
    const bool closing = until != SteadyTime::max();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (closing && left.count() <= 0) return false;
    const int timeout = closing ? static_cast<int>(left.count()) : kPollForever;
    if (poll(watched.data(), closing ? 1 : 2, timeout) < 0 && errno != EINTR) return false;
    if (watched[0].revents == 0) continue;
    const ssize_t count = write(output_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void StdioTransport::write_loop() {
  for (;;) {
    std::string bytes;
    {
      std::unique_lock lock(state_->mutex);
      state_->changed.wait(lock, [&] { return !state_->unsent.empty() || state_->closing; });
      if (state_->unsent.empty()) return;
      bytes = std::exchange(state_->unsent, {});
    }
    if (write_all(bytes)) continue;
    const std::lock_guard lock(state_->mutex);
    if (!state_->lost && !state_->closing) loop_.post([state = state_] { state->handlers.on_lost(); });
    state_->lost = true;
    state_->unsent.clear();
    return;
  }
}

void StdioTransport::close() {
  {
    const std::lock_guard lock(state_->mutex);
    if (!reader_.joinable()) return;
    state_->closing = true;
    state_->flush_until = std::chrono::steady_clock::now() + options_.flush_limit;
    state_->changed.notify_all();
  }
  ::close(wake_[1]);  // the reading end becomes ready, for both threads and for good
  reader_.join();
  writer_.join();
  ::close(wake_[0]);
}

}  // namespace weft::lsp
