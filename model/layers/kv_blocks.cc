#include "model/layers/kv_blocks.h"

#include <cstring>
#include <utility>

#include "model/base/check.h"

namespace weft::model {

std::size_t KvBlocks::half_bytes() const {
  const std::size_t number = layout_.format == KvFormat::kFloat32 ? 4 : 2;
  return static_cast<std::size_t>(layout_.kv_heads * layout_.block_tokens * layout_.head_dim) * number;
}

void KvBlocks::reserve(std::int64_t tokens) {
  while (static_cast<std::int64_t>(blocks_.size()) * layout_.block_tokens < tokens) {
    AlignedBuffer block(static_cast<std::size_t>(layers_) * 2 * half_bytes());
    std::byte* at = block.data();
    for (Table& table : tables_) {
      table.keys.push_back(std::exchange(at, at + half_bytes()));
      table.values.push_back(std::exchange(at, at + half_bytes()));
    }
    blocks_.push_back(std::move(block));
  }
}

SequenceBlocks KvBlocks::extend(int layer, std::int64_t tokens) {
  reserve(length_ + tokens);
  const Table& table = tables_[static_cast<std::size_t>(layer)];
  return {length_, tokens, table.keys, table.values};
}

void KvBlocks::truncate(std::int64_t length) {
  WEFT_CHECK(length <= length_);
  length_ = length;
}

void KvBlocks::commit(std::int64_t tokens) { length_ += tokens; }

KvBlocks KvBlocks::first(std::int64_t length) const {
  WEFT_CHECK(length <= length_);
  KvBlocks copy(layers_, layout_);
  copy.reserve(length);
  for (std::size_t i = 0; i < copy.blocks_.size(); ++i) {
    std::memcpy(copy.blocks_[i].data(), blocks_[i].data(), blocks_[i].bytes());
  }
  copy.length_ = length;
  return copy;
}

}  // namespace weft::model
