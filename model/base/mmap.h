// MappedFile: a whole file mapped for reading; unmapped by the destructor. Move-only; reading is thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "model/base/expected.h"

namespace weft {

class MappedFile {
 public:
  // Error: the path and the system's reason. An empty file gives an empty span.
  static Expected<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Of parts of mapped files. Where the system refuses, nothing happens: all they change is how fast reading is.
void read_in_order(std::span<const std::byte> part);  // from now on it is read from first to last
void fetch(std::span<const std::byte> part);          // waits until it is there, which is faster than page by page
void give_back(std::span<const std::byte> part);      // has been read: this process no longer holds it in memory

}  // namespace weft
