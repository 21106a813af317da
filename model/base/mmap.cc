#include "model/base/mmap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "model/base/check.h"

namespace weft {

Expected<MappedFile> MappedFile::open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return make_error("cannot open {}: {}", path, std::strerror(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return make_error("cannot stat {}: {}", path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return make_error("cannot read {}: not a regular file", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(std::move(file), nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return make_error("cannot map {}: {}", path, std::strerror(errno));
  return MappedFile(std::move(file), static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : file_(std::move(other.file_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

Expected<void> MappedFile::read(std::span<const std::byte> part, std::byte* out) const {
  WEFT_CHECK(part.data() >= data_ && part.data() + part.size() <= data_ + size_);
  for (std::size_t done = 0; done < part.size();) {
    const auto at = static_cast<off_t>(part.data() - data_) + static_cast<off_t>(done);
    const ssize_t got = ::pread(file_.get(), out + done, part.size() - done, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_error("cannot be read: {}", std::strerror(errno));
    if (got == 0) return make_error("cannot be read: the file ends at byte {}, where it had {}", at, size_);
    done += static_cast<std::size_t>(got);
  }
  return {};
}

void MappedFile::read_in_order() const { ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL); }

// Of the pages that `part` begins in and all that follow, but not the one it ends in, which the next part begins in.
void give_back(std::span<const std::byte> part) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace weft
