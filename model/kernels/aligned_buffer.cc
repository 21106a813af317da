#include "model/kernels/aligned_buffer.h"

#include <sys/mman.h>

#include <new>

namespace weft::model {

// Mapped, not from the heap: what is large goes back to the system at once, and zeroes cost nothing.
AlignedBuffer::AlignedBuffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) ::madvise(mapped, bytes, MADV_HUGEPAGE);  // advice: works without, slower
#endif
  data_ = static_cast<std::byte*>(mapped);
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

std::byte* Scratch::take(std::size_t bytes) {
  if (buffer_.bytes() < bytes) buffer_ = AlignedBuffer(bytes + bytes / 2);
  return buffer_.data();
}

}  // namespace weft::model
