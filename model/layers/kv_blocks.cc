#include "model/layers/kv_blocks.h"

#include <cstring>
#include <utility>

#include "model/base/check.h"

namespace weft::model {

std::size_t KvBlocks::blocks_for(std::int64_t tokens) const {
  return static_cast<std::size_t>((tokens + layout().block_tokens - 1) / layout().block_tokens);
}

void KvBlocks::append(KvPool::Block block) {
  for (int layer = 0; layer < pool_->layers(); ++layer) {
    Table& table = tables_[static_cast<std::size_t>(layer)];
    table.keys.push_back(block.keys(layer));
    table.values.push_back(block.values(layer));
  }
  blocks_.push_back(std::move(block));
}

void KvBlocks::resize(std::size_t blocks) {
  WEFT_CHECK(blocks <= blocks_.size());
  blocks_.resize(blocks);
  for (Table& table : tables_) {
    table.keys.resize(blocks);
    table.values.resize(blocks);
  }
}

// The block that the next token goes into is begun and shared: from here on there are two.
void KvBlocks::own_tail() {
  const std::int64_t rows = length_ % layout().block_tokens;  // that count, of each head
  KvPool::Block copy = pool_->take();
  const std::size_t head_bytes = pool_->half_bytes() / static_cast<std::size_t>(layout().kv_heads);
  const std::size_t bytes =
      head_bytes / static_cast<std::size_t>(layout().block_tokens) * static_cast<std::size_t>(rows);
  const auto copy_rows = [&](std::byte* to, const std::byte* from) {
    for (std::int64_t head = 0; head < layout().kv_heads; ++head, to += head_bytes, from += head_bytes) {
      std::memcpy(to, from, bytes);
    }
  };
  for (int layer = 0; layer < pool_->layers(); ++layer) {
    copy_rows(copy.keys(layer), blocks_.back().keys(layer));
    copy_rows(copy.values(layer), blocks_.back().values(layer));
  }
  resize(blocks_.size() - 1);
  append(std::move(copy));
}

void KvBlocks::reserve(std::int64_t tokens) {
  // Blocks behind the last one in use are there after a step that failed; nothing in them counts.
  resize(std::min(blocks_.size(), blocks_for(length_)));
  if (length_ % layout().block_tokens > 0 && blocks_.back().shared()) own_tail();
  while (blocks_.size() < blocks_for(length_ + tokens)) append(pool_->take());
}

SequenceBlocks KvBlocks::extend(int layer, std::int64_t tokens) const {
  WEFT_CHECK(blocks_.size() >= blocks_for(length_ + tokens));
  const Table& table = tables_[static_cast<std::size_t>(layer)];
  return {length_, tokens, table.keys, table.values};
}

void KvBlocks::truncate(std::int64_t length) {
  WEFT_CHECK(length >= 0 && length <= length_);
  length_ = length;
  resize(blocks_for(length));
}

void KvBlocks::commit(std::int64_t tokens) { length_ += tokens; }

KvBlocks KvBlocks::first(std::int64_t length) const {
  WEFT_CHECK(length <= length_);
  KvBlocks out = *this;
  out.truncate(length);
  return out;
}

}  // namespace weft::model
