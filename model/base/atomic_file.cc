#include "model/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace weft {
namespace {

// The temporary file; removed by the destructor unless it has become the real one.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : name_(path + ".XXXXXX") {
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
    made_ = fd_ >= 0;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (made_) ::unlink(name_.c_str());
  }
  [[nodiscard]] bool made() const { return made_; }

  bool write(std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = 1 << 30;  // one write() takes at most 2 GiB
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), std::min(bytes.size(), kMost));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool become(const std::string& path) {
    constexpr mode_t kMode = 0644;  // mkostemp makes it 0600; a model is not a secret
    if (::fchmod(fd_, kMode) != 0 || ::fsync(fd_) != 0) return false;
    if (::rename(name_.c_str(), path.c_str()) != 0) return false;
    made_ = false;
    return true;
  }

 private:
  std::string name_;
  int fd_ = -1;
  bool made_ = false;
};

// Makes the rename last through a power cut. Some file systems refuse it; the file itself is safe by then.
void sync_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Expected<void> write_file_atomically(const std::string& path, const std::vector<std::span<const std::byte>>& pieces) {
  const auto failed = [&path] { return make_error("cannot write {}: {}", path, std::strerror(errno)); };
  TemporaryFile file(path);
  if (!file.made()) return failed();
  for (const auto& piece : pieces) {
    if (!file.write(piece)) return failed();
  }
  if (!file.become(path)) return failed();
  sync_folder(path);
  return {};
}

Expected<void> write_file_atomically(const std::string& path, std::string_view text) {
  return write_file_atomically(path, {std::as_bytes(std::span(text.data(), text.size()))});
}

}  // namespace weft
