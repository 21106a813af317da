// Token documents in Megatron's indexed format: PREFIX.bin holds uint16 tokens end to end, PREFIX.idx says where each
// sequence and each document lies. Format: Megatron-LM core, datasets/indexed_dataset.py (little-endian, version 1).
// Weft writes one sequence for each document. The reader is immutable and thread-safe; a writer belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/base/mmap.h"

namespace weft::adapters {

class IndexedDataset {
 public:
  // Maps PREFIX.bin and PREFIX.idx. Error: missing or truncated files, a foreign magic, version or token type, sizes
  // and pointers that leave the file or are not end to end.
  static Expected<IndexedDataset> open(const std::string& prefix);

  [[nodiscard]] std::size_t documents() const { return starts_.size() - 1; }
  [[nodiscard]] std::size_t total_tokens() const { return starts_.back(); }
  // Tokens of document `i` < documents(); valid as long as this object lives.
  [[nodiscard]] std::span<const std::uint16_t> tokens(std::size_t i) const;

 private:
  IndexedDataset(MappedFile bin, std::vector<std::size_t> starts) : bin_(std::move(bin)), starts_(std::move(starts)) {}

  MappedFile bin_;
  std::vector<std::size_t> starts_;  // [documents + 1], in tokens; never empty, ascending
};

// Nothing is visible under PREFIX until finish(); a writer destroyed before that leaves no files.
class IndexedDatasetWriter {
 public:
  // Error: the files cannot be created.
  static Expected<IndexedDatasetWriter> create(const std::string& prefix);
  IndexedDatasetWriter(IndexedDatasetWriter&& other) noexcept;
  IndexedDatasetWriter& operator=(IndexedDatasetWriter&& other) noexcept;
  ~IndexedDatasetWriter();

  // Appends one document. Error: longer than 2^31 - 1 tokens.
  Expected<void> add(std::span<const std::uint16_t> tokens);
  // Error: a failed write, such as a full disk. Call once, last.
  Expected<void> finish();

 private:
  class Files;
  explicit IndexedDatasetWriter(std::unique_ptr<Files> files);
  std::unique_ptr<Files> files_;
  std::vector<std::int32_t> sizes_;  // in tokens
};

}  // namespace weft::adapters
