// KvBlocks: one sequence's keys and values in blocks of a pool. A fork shares its source's blocks; who writes behind
// the fork takes a copy of the block it writes into first. Engine thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "model/layers/kv_pool.h"

namespace weft::model {

class KvBlocks {
 public:
  explicit KvBlocks(KvPool& pool) : pool_(&pool), tables_(static_cast<std::size_t>(pool.layers())) {}
  [[nodiscard]] std::int64_t length() const { return length_; }
  [[nodiscard]] const KvLayout& layout() const { return pool_->layout(); }
  // Room for `tokens` more that is this sequence's alone. KvExhausted: the pool has none; what stood still stands.
  void reserve(std::int64_t tokens);
  // The blocks of `layer`; for this step's reserved tokens and what stood before.
  [[nodiscard]] SequenceBlocks extend(int layer, std::int64_t tokens) const;
  void truncate(std::int64_t length);  // drops what stands at positions >= length
  void commit(std::int64_t tokens);    // after the last layer of a step: the step's tokens now count
  [[nodiscard]] KvBlocks first(std::int64_t length) const;  // what stands at positions < length, shared

 private:
  struct Table {
    std::vector<void*> keys, values;  // [blocks], each [Hk, block_tokens, D]
  };
  [[nodiscard]] std::size_t blocks_for(std::int64_t tokens) const;
  void append(KvPool::Block block);
  void own_tail();
  void resize(std::size_t blocks);  // to fewer

  KvPool* pool_;
  std::int64_t length_ = 0;
  std::vector<KvPool::Block> blocks_;
  std::vector<Table> tables_;  // [layers]
};

}  // namespace weft::model
