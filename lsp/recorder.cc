#include "lsp/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "lsp/json_rpc.h"
#include "model/base/log.h"

namespace weft::lsp {
namespace {

constexpr mode_t kOwnerOnly = 0600;

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Expected<std::unique_ptr<Recorder>> Recorder::open(const std::string& path, std::shared_ptr<const Clock> clock) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kOwnerOnly);
  if (file < 0) return make_error("{}: cannot be recorded to: {}", path, std::strerror(errno));
  struct stat status {};
  // A file that was there keeps its mode when it is opened: it becomes the owner's alone before anything is in it.
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || fchmod(file, kOwnerOnly) != 0) {
    ::close(file);
    return make_error("{}: cannot be recorded to: not a regular file of one's own", path);
  }
  return std::unique_ptr<Recorder>(new Recorder(file, path, std::move(clock)));
}

Recorder::Recorder(int file, std::string path, std::shared_ptr<const Clock> clock)
    : file_(file), path_(std::move(path)), clock_(std::move(clock)), begin_(clock_->now()) {}

Recorder::~Recorder() {
  if (file_ >= 0) ::close(file_);
}

void Recorder::record(Sender sender, std::string_view body) {
  if (file_ < 0) return;
  const Json line = {{"time_ms", milliseconds_between(begin_, clock_->now())},
                     {"from", sender == Sender::kClient ? "client" : "server"},
                     {"body", body}};
  if (write_all(file_, line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n')) return;
  spdlog::error("{}: recording ends: {}", path_, std::strerror(errno));
  ::close(std::exchange(file_, -1));
}

}  // namespace weft::lsp
