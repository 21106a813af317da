// SharedMemory: zeroed memory that several processes map. It has no name that another could open or that could be left
// behind: it goes with the last process that has it, however that ends. Movable; what lies in it has its own rules.
#pragma once

#include <cstddef>

#include "model/base/expected.h"
#include "model/base/unique_fd.h"

namespace weft::model {

class SharedMemory {
 public:
  static Expected<SharedMemory> create(std::size_t bytes);
  // Maps what another process created and handed over. Error: not as large as `bytes`.
  static Expected<SharedMemory> map(UniqueFd descriptor, std::size_t bytes);
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }  // for handing over

 private:
  SharedMemory(UniqueFd descriptor, std::byte* data, std::size_t size)
      : descriptor_(std::move(descriptor)), data_(data), size_(size) {}
  UniqueFd descriptor_;
  std::byte* data_;
  std::size_t size_;
};

}  // namespace weft::model
