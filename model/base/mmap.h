// MappedFile: a whole file mapped for reading; unmapped and closed by the destructor. Move-only; reading is
// thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "model/base/expected.h"
#include "model/base/unique_fd.h"

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

  // Copies a part of bytes() by reading the file: threads that want each page once need not wait for each other, as
  // they do while pages of a mapping come and go. Error: the disk's, or that the file has been cut short since.
  [[nodiscard]] Expected<void> read(std::span<const std::byte> part, std::byte* out) const;
  // From now on it is read from first to last. Where the system refuses, it is but slower.
  void read_in_order() const;

 private:
  MappedFile(UniqueFd file, const std::byte* data, std::size_t size)
      : file_(std::move(file)), data_(data), size_(size) {}
  UniqueFd file_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A part of a mapped file has been read: this process no longer holds it in memory.
void give_back(std::span<const std::byte> part);

}  // namespace weft
