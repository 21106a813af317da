#include "model/layers/kv_pool.h"

#include <algorithm>
#include <functional>
#include <new>

#include "model/base/check.h"

namespace weft::model {
namespace {

constexpr std::size_t kSlabBytes = std::size_t{32} << 20;  // about: huge pages pay, and a small model takes little

}  // namespace

KvPool::Block::Block(const Block& other) : pool_(other.pool_), index_(other.index_) {
  if (pool_ != nullptr) ++pool_->references_[index_];
}

KvPool::Block::~Block() {
  if (pool_ == nullptr || --pool_->references_[index_] > 0) return;
  pool_->free_.push_back(index_);
  std::ranges::push_heap(pool_->free_, std::greater<>());
}

KvPool::KvPool(int layers, KvLayout layout, std::size_t most_blocks)
    : layers_(layers), layout_(layout), most_blocks_(most_blocks) {
  WEFT_CHECK(layers > 0 && layout.block_tokens > 0);
  const std::size_t block_bytes = static_cast<std::size_t>(layers) * 2 * half_bytes();
  slab_blocks_ = std::max<std::size_t>(1, kSlabBytes / block_bytes);
}

std::size_t KvPool::half_bytes() const {
  const std::size_t number = layout_.format == KvFormat::kFloat32 ? 4 : 2;
  return static_cast<std::size_t>(layout_.kv_heads * layout_.block_tokens * layout_.head_dim) * number;
}

std::byte* KvPool::half(std::size_t index, int which) const {
  const std::size_t place = static_cast<std::size_t>(which) * slab_blocks_ + index % slab_blocks_;
  return const_cast<std::byte*>(slabs_[index / slab_blocks_].data()) + place * half_bytes();
}

void KvPool::grow() {
  const std::size_t first = references_.size();
  const std::size_t count = std::min(slab_blocks_, most_blocks_ - first);
  if (count == 0) throw KvExhausted();
  try {
    slabs_.emplace_back(static_cast<std::size_t>(layers_) * 2 * slab_blocks_ * half_bytes());
  } catch (const std::bad_alloc&) {
    throw KvExhausted();
  }
  references_.resize(first + count, 0);
  free_.reserve(references_.size());  // a handle's end cannot fail
  for (std::size_t i = 0; i < count; ++i) free_.push_back(first + i);
  std::ranges::make_heap(free_, std::greater<>());
}

KvPool::Block KvPool::take() {
  if (free_.empty()) grow();
  std::ranges::pop_heap(free_, std::greater<>());
  const std::size_t index = free_.back();
  free_.pop_back();
  references_[index] = 1;
  return {this, index};
}

}  // namespace weft::model
