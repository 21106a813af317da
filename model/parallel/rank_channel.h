// RankChannel: messages between rank 0 and one other rank over a local stream socket, and descriptors beside them. One
// thread at a time. Messages are trusted: both ends are the same program of the same user.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/base/unique_fd.h"

namespace weft::model {

using Bytes = std::vector<std::byte>;

class RankChannel {
 public:
  explicit RankChannel(UniqueFd socket) : socket_(std::move(socket)) {}
  // Error: nobody listens at `path`.
  static Expected<RankChannel> connect(const std::string& path);

  // Errors: the other end is gone.
  Expected<void> send(std::span<const std::byte> message);
  Expected<void> send_descriptor(int descriptor);
  // Errors: the other end is gone, `limit` has passed. No limit: waits for as long as the other end is there.
  Expected<Bytes> receive(std::optional<std::chrono::milliseconds> limit = {});
  Expected<UniqueFd> receive_descriptor();

  [[nodiscard]] bool ended() const;  // the other end is gone; what it sent before may still be unread
  [[nodiscard]] bool readable(std::chrono::milliseconds limit) const;
  [[nodiscard]] bool same_user() const;  // the process at the other end belongs to this user
  [[nodiscard]] int descriptor() const { return socket_.get(); }

 private:
  UniqueFd socket_;
};

// A listening local socket at `path`, whose folder is its protection.
Expected<UniqueFd> listen_at(const std::string& path);
// The next who connects. No value: nobody has within `limit`.
Expected<std::optional<RankChannel>> accept_rank(const UniqueFd& listener, std::chrono::milliseconds limit);
// Ends this process as soon as the other end of the channel is gone, whatever its threads are at; with exit code 0,
// since how the group ended is rank 0's to say.
// `before` is the last thing that it does.
void end_with(const RankChannel& channel, std::function<void()> before);

}  // namespace weft::model
