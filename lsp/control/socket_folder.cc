#include "lsp/control/socket_folder.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace weft::lsp {
namespace {

constexpr std::string_view kPrefix = "weftd-", kSuffix = ".sock";
constexpr mode_t kOwnerOnly = 0700, kOthers = 0077;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Errors name the call that failed.
Error errno_error(std::string_view what, const std::string& path) {
  return make_error("{} {}: {}", what, path, std::strerror(errno));
}

Expected<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return make_error("{} is longer than the {} bytes that a socket's path may have", path,
                      sizeof(address.sun_path) - 1);
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

}  // namespace

FolderPlaces places_from_environment() {
  std::error_code code;
  const auto temp = std::filesystem::temp_directory_path(code);
  return {environment("XDG_RUNTIME_DIR"), code ? "/tmp" : temp.string()};
}

Expected<std::string> open_socket_folder(const FolderPlaces& places) {
  const std::string folder =
      places.runtime_dir.empty() ? fmt::format("{}/weft-{}", places.temp_dir, geteuid()) : places.runtime_dir + "/weft";
  if (mkdir(folder.c_str(), kOwnerOnly) != 0 && errno != EEXIST) return errno_error("cannot make", folder);
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0) return errno_error("cannot look at", folder);
  if (!S_ISDIR(status.st_mode)) return make_error("{} is not a folder", folder);
  if (status.st_uid != geteuid()) {
    return make_error("{} belongs to user {}, not to {}", folder, status.st_uid, geteuid());
  }
  if ((status.st_mode & kOthers) != 0) {
    return make_error("{} is open to others (mode {:o}): it should be {:o}", folder, status.st_mode & 07777U,
                      kOwnerOnly);
  }
  return folder;
}

std::string socket_path(std::string_view folder, pid_t pid) {
  return fmt::format("{}/{}{}{}", folder, kPrefix, pid, kSuffix);
}

std::optional<pid_t> pid_of_socket(std::string_view file_name) {
  if (!file_name.starts_with(kPrefix) || !file_name.ends_with(kSuffix)) return std::nullopt;
  if (file_name.size() <= kPrefix.size() + kSuffix.size()) return std::nullopt;
  const std::string_view digits = file_name.substr(kPrefix.size(), file_name.size() - kPrefix.size() - kSuffix.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (error != std::errc{} || end != digits.data() + digits.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::vector<DaemonSocket> daemon_sockets(const std::string& folder) {
  std::vector<DaemonSocket> sockets;
  std::error_code code;
  for (std::filesystem::directory_iterator file(folder, code), end; !code && file != end; file.increment(code)) {
    struct stat status {};
    const auto pid = pid_of_socket(file->path().filename().string());
    if (!pid || lstat(file->path().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
    sockets.push_back({*pid, file->path().string()});
  }
  std::ranges::sort(sockets, {}, &DaemonSocket::pid);
  return sockets;
}

void remove_stale_sockets(const std::string& folder) {
  for (const DaemonSocket& socket : daemon_sockets(folder)) {
    const bool gone = kill(socket.pid, 0) != 0 && errno == ESRCH;
    if (!gone) continue;
    const auto connected = connect_to_socket(socket.path);
    connected ? ::close(*connected) : ::unlink(socket.path.c_str());
  }
}

Expected<int> connect_to_socket(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return errno_error("cannot make a socket for", path);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof(sockaddr_un)) != 0) {
    const Error error = errno_error("cannot reach", path);
    ::close(fd);
    return error;
  }
  return fd;
}

Expected<uid_t> peer_of(int socket) {
#ifdef __linux__
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return make_error("cannot tell who is at a socket: {}", std::strerror(errno));
  }
  return credentials.uid;
#else
  uid_t user = 0;
  gid_t group = 0;
  if (getpeereid(socket, &user, &group) != 0) {
    return make_error("cannot tell who is at a socket: {}", std::strerror(errno));
  }
  return user;
#endif
}

}  // namespace weft::lsp
