// AlignedBuffer: zeroed memory of its own, aligned to a cache line, on huge pages where the system lends them.
// Move-only; the holder's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace weft::model {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);  // std::bad_alloc where there is no memory
  ~AlignedBuffer();
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Memory of one kernel call, kept for the thread's next call. What it held is lost by the next `take`.
class Scratch {
 public:
  std::byte* take(std::size_t bytes);  // not zeroed

 private:
  AlignedBuffer buffer_;
};

}  // namespace weft::model
