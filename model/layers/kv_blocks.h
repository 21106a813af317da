// KvBlocks: one sequence's keys and values on the processor, in blocks of a fixed number of tokens. Engine thread only.
#pragma once

#include <memory>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/attention.h"

namespace weft::model {

class KvBlocks {
 public:
  KvBlocks(int layers, KvLayout layout) : layers_(layers), layout_(layout), tables_(static_cast<std::size_t>(layers)) {}
  [[nodiscard]] std::int64_t length() const { return length_; }
  [[nodiscard]] const KvLayout& layout() const { return layout_; }
  // The blocks of `layer` with room for `tokens` more; for this step's tokens and what stood before.
  [[nodiscard]] SequenceBlocks extend(int layer, std::int64_t tokens);
  void truncate(std::int64_t length);  // drops what stands at positions >= length; its memory stays for what comes
  void commit(std::int64_t tokens);    // after the last layer of a step: the step's tokens now count
  [[nodiscard]] KvBlocks first(std::int64_t length) const;  // a copy of what stands at positions < length

 private:
  struct Table {
    std::vector<void*> keys, values;  // [blocks], each [Hk, block_tokens, D]
  };
  [[nodiscard]] std::size_t half_bytes() const;  // of the keys of one block of one layer
  void reserve(std::int64_t tokens);
  int layers_;
  KvLayout layout_;
  std::int64_t length_ = 0;
  std::vector<AlignedBuffer> blocks_;  // each [layers][keys, values]
  std::vector<Table> tables_;          // [layers]
};

}  // namespace weft::model
