// KvPool: the memory of all sequences' keys and values on the processor, in blocks of a fixed number of tokens (Kwon et
// al. 2023, PagedAttention). A block is held by handles, which share it; it is free again with its last one. Memory is
// taken in slabs as it is needed, up to the pool's limit, and kept. In a slab the blocks of one layer follow each
// other, so that a sequence whose blocks were taken together is read in order. Engine thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/attention.h"

namespace weft::model {

// There is no block left, or no memory for one.
class KvExhausted final : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "no room for more keys and values"; }
};

class KvPool {
 public:
  // A share in one block; empty by default. The pool outlives it.
  class Block {
   public:
    Block() = default;
    Block(const Block& other);
    Block(Block&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_) {}
    Block& operator=(Block other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(index_, other.index_);
      return *this;
    }
    ~Block();
    [[nodiscard]] bool shared() const { return pool_->references_[index_] > 1; }
    [[nodiscard]] std::byte* keys(int layer) const { return pool_->half(index_, 2 * layer); }  // [Hk, block_tokens, D]
    [[nodiscard]] std::byte* values(int layer) const { return pool_->half(index_, 2 * layer + 1); }

   private:
    friend class KvPool;
    Block(KvPool* pool, std::size_t index) : pool_(pool), index_(index) {}
    KvPool* pool_ = nullptr;
    std::size_t index_ = 0;
  };

  KvPool(int layers, KvLayout layout, std::size_t most_blocks);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  // Throws KvExhausted.
  [[nodiscard]] Block take();
  [[nodiscard]] int layers() const { return layers_; }
  [[nodiscard]] const KvLayout& layout() const { return layout_; }
  [[nodiscard]] std::size_t half_bytes() const;  // of the keys of one block of one layer
  [[nodiscard]] std::size_t free_blocks() const { return most_blocks_ - references_.size() + free_.size(); }
  [[nodiscard]] std::size_t used_blocks() const { return references_.size() - free_.size(); }

 private:
  [[nodiscard]] std::byte* half(std::size_t index, int which) const;
  void grow();

  int layers_;
  KvLayout layout_;
  std::size_t most_blocks_, slab_blocks_;
  std::vector<AlignedBuffer> slabs_;  // each [layers][keys, values][slab_blocks][Hk, block_tokens, D]
  std::vector<std::uint32_t> references_;
  std::vector<std::size_t> free_;  // a heap, the lowest index on top: what is taken together lies together
};

}  // namespace weft::model
