#include "model/parallel/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weft::model {
namespace {

#ifdef __linux__
UniqueFd create_unnamed() { return UniqueFd(::memfd_create("weft-ranks", MFD_CLOEXEC)); }
#else
// POSIX has no unnamed segment: this one loses its name at once.
UniqueFd create_unnamed() {
  const std::string name = fmt::format("/weft-ranks-{}", ::getpid());
  UniqueFd out(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR));
  if (out.valid()) ::shm_unlink(name.c_str());
  return out;
}
#endif

}  // namespace

Expected<SharedMemory> SharedMemory::create(std::size_t bytes) {
  UniqueFd descriptor = create_unnamed();
  if (!descriptor.valid() || ::ftruncate(descriptor.get(), static_cast<off_t>(bytes)) != 0) {
    return make_error("cannot create {} bytes of shared memory: {}", bytes, std::strerror(errno));
  }
  return map(std::move(descriptor), bytes);
}

Expected<SharedMemory> SharedMemory::map(UniqueFd descriptor, std::size_t bytes) {
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    return make_error("cannot use the shared memory of the ranks: {}", std::strerror(errno));
  }
  if (static_cast<std::size_t>(status.st_size) != bytes) {
    return make_error("the shared memory of the ranks has {} bytes, expected {}", status.st_size, bytes);
  }
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.get(), 0);
  if (data == MAP_FAILED) return make_error("cannot map {} bytes of shared memory: {}", bytes, std::strerror(errno));
  return SharedMemory(std::move(descriptor), static_cast<std::byte*>(data), bytes);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::move(other.descriptor_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace weft::model
