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

// Both of a part of a mapped file; where the system refuses, nothing happens.
void read_ahead(std::span<const std::byte> part);  // will be read soon: starts to fetch it
void give_back(std::span<const std::byte> part);   // has been read: this process no longer holds it in memory

}  // namespace weft
