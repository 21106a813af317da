#include "model/parallel/rank_group.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds, std::chrono::steady_clock;

constexpr milliseconds kLook{20}, kTellLimit{100}, kEndLimit{2'000};

std::string socket_in(const std::string& folder) { return (fs::path(folder) / "rank0").string(); }

// The folder where the ranks meet, for as long as they do.
class MeetingFolder {
 public:
  static Expected<MeetingFolder> create(const std::string& agreed) {
    if (!agreed.empty()) {
      std::error_code ignored;
      fs::remove(socket_in(agreed), ignored);  // of a rank 0 that was killed
      if (::mkdir(agreed.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        return make_error("cannot create the folder {}: {}", agreed, std::strerror(errno));
      }
      return MeetingFolder(agreed);
    }
    std::string pattern = (fs::temp_directory_path() / "weft-ranks-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return make_error("cannot create a folder for the ranks, {}: {}", pattern, std::strerror(errno));
    }
    return MeetingFolder(pattern);
  }
  MeetingFolder(MeetingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  MeetingFolder& operator=(MeetingFolder&&) = delete;
  ~MeetingFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit MeetingFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Expected<void> check_private(const std::string& folder) {
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return make_error("no folder {}: {}", folder, std::strerror(errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::getuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return make_error("{} is not a folder that this user alone can enter", folder);
  }
  return {};
}

// Its input is empty and its output goes to the log: stdout belongs to rank 0.
Expected<pid_t> spawn(const std::string& program, std::vector<std::string> arguments,
                      std::vector<std::string> environment) {
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (std::string& text : strings) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  };
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, program.c_str(), &actions, nullptr, pointers(arguments).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return make_error("cannot start a rank with {}: {}", program, std::strerror(failed));
  return process;
}

std::string describe_status(int status) {
  return WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                             : fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace

Expected<std::unique_ptr<RankGroup>> RankGroup::start(const RankGroupOptions& options) {
  const auto place = rank_place();
  if (!place) return place.error();
  if (*place && (*place)->world_size != options.size) {
    return make_error("{} ranks were asked for, WORLD_SIZE says {}", options.size, (*place)->world_size);
  }
  auto folder = MeetingFolder::create(*place ? (*place)->folder : "");
  if (!folder) return folder.error();
  if (auto own = check_private(folder->path()); !own) return own.error();
  const auto listener = listen_at(socket_in(folder->path()));
  if (!listener) return listener.error();
  std::unique_ptr<RankGroup> group(new RankGroup(options.size));
  if (!*place) {
    if (auto launched = group->launch(options, folder->path()); !launched) return launched.error();
  }
  if (auto met = group->meet(*listener, options.join_limit); !met) return met.error();
  return group;
}

Expected<void> RankGroup::launch(const RankGroupOptions& options, const std::string& folder) {
  for (int rank = 1; rank < options.size; ++rank) {
    auto process = spawn(options.program, {"weft-rank", fmt::format("{}/{}", rank, options.size)},
                         environment_of({Rank(rank), Rank(rank), options.size, folder}));
    if (!process) return process.error();
    member(Rank(rank)).process = *process;
  }
  return {};
}

Expected<void> RankGroup::meet(const UniqueFd& listener, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  const auto missing = [this] { return std::ranges::count_if(members_, [](const Member& m) { return !m.channel; }); };
  while (missing() > 0) {
    if (steady_clock::now() > end) {
      return make_error("{} of {} ranks did not come within {} s", missing(), members_.size(), limit.count() / 1000);
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (const auto failed = end_of(i)) return make_error("{} before it had joined", *failed);
    }
    auto guest = accept_rank(listener, kLook);
    if (!guest) return guest.error();
    if (!*guest) continue;
    if (auto admitted = admit(*std::move(*guest)); !admitted) return admitted;
  }
  return {};
}

// The first message is the rank's number.
Expected<void> RankGroup::admit(RankChannel channel) {
  if (!channel.same_user()) return make_error("a process of another user came as a rank");
  const auto hello = channel.receive(kEndLimit);
  std::int32_t rank = 0;
  if (!hello || hello->size() != sizeof(rank)) return make_error("a process came that is no rank");
  std::memcpy(&rank, hello->data(), sizeof(rank));
  if (rank < 1 || rank >= size() || member(Rank(rank)).channel) {
    return make_error("a process came as rank {} of {}, which is not missing", rank, size());
  }
  member(Rank(rank)).channel = std::move(channel);
  return {};
}

Expected<void> RankGroup::send_to_all(std::span<const std::byte> message) {
  for (Member& each : members_) {
    if (auto sent = each.channel->send(message); !sent) return Error{failure().value_or(sent.error().message)};
  }
  return {};
}

Expected<void> RankGroup::send_descriptor_to_all(int descriptor) {
  for (Member& each : members_) {
    if (auto sent = each.channel->send_descriptor(descriptor); !sent) {
      return Error{failure().value_or(sent.error().message)};
    }
  }
  return {};
}

Expected<Bytes> RankGroup::receive_from(Rank rank) {
  auto received = member(rank).channel->receive();
  if (!received) return Error{failure().value_or(received.error().message)};
  return received;
}

std::optional<std::string> RankGroup::end_of(std::size_t index) {
  Member& each = members_[index];
  if (!each.end.empty()) return each.end;
  const bool hung_up = each.channel && each.channel->ended();
  if (each.process > 0) {
    // The system closes a process's channel a moment before it tells how the process ended.
    const auto told_by = steady_clock::now() + (hung_up ? kTellLimit : milliseconds(0));
    int status = 0;
    pid_t changed = 0;
    while ((changed = ::waitpid(each.process, &status, WNOHANG)) == 0 && steady_clock::now() < told_by) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    if (changed != 0) {
      each.end = fmt::format("rank {} (process {}) {}", index + 1, each.process,
                             changed > 0 ? describe_status(status) : "has ended");
      return each.end;
    }
  }
  return hung_up ? std::optional(fmt::format("rank {} has ended", index + 1)) : std::nullopt;
}

std::optional<std::string> RankGroup::failure() {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (auto failed = end_of(i)) return failed;
  }
  return std::nullopt;
}

RankGroup::~RankGroup() {
  const auto alive = [](const Member& each) { return each.process > 0 && each.end.empty(); };
  for (Member& each : members_) each.channel.reset();
  const auto limit = steady_clock::now() + kEndLimit;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    while (alive(members_[i]) && !end_of(i) && steady_clock::now() < limit) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    if (!alive(members_[i])) continue;
    ::kill(members_[i].process, SIGKILL);
    ::waitpid(members_[i].process, nullptr, 0);
  }
}

Expected<RankChannel> join_group(const RankPlace& place, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  Expected<RankChannel> channel = make_error("rank 0 was not looked for");
  do {
    const auto own = check_private(place.folder);
    channel = own ? RankChannel::connect(socket_in(place.folder)) : Expected<RankChannel>(own.error());
    if (!channel) std::this_thread::sleep_for(kLook);
  } while (!channel && steady_clock::now() < end);
  if (!channel) return channel;
  const std::int32_t rank = place.rank.value();
  if (auto sent = channel->send(std::as_bytes(std::span(&rank, 1))); !sent) return sent.error();
  return channel;
}

}  // namespace weft::model
