#include "model/layers/kv_buffer.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "model/base/check.h"

namespace weft::model {

KvBuffer::KvBuffer(int layers, int local_kv_heads, int head_dim, at::TensorOptions options)
    : kv_heads_(local_kv_heads), head_dim_(head_dim), options_(options), layers_(static_cast<std::size_t>(layers)) {}

void KvBuffer::reserve(Layer& layer, std::int64_t capacity) const {
  const std::int64_t have = layer.keys.defined() ? layer.keys.size(1) : 0;
  if (have >= capacity) return;
  constexpr std::int64_t kBlock = 256;
  const std::int64_t grown = std::max((capacity + kBlock - 1) / kBlock * kBlock, have * 2);
  for (at::Tensor* held : {&layer.keys, &layer.values}) {
    at::Tensor wider = at::empty({kv_heads_, grown, head_dim_}, options_);
    if (length_ > 0) wider.narrow(1, 0, length_).copy_(held->narrow(1, 0, length_));
    *held = std::move(wider);
  }
}

KvSlices KvBuffer::extend(int layer, const at::Tensor& k, const at::Tensor& v) {
  Layer& held = layers_[static_cast<std::size_t>(layer)];
  const std::int64_t tokens = k.size(0);
  reserve(held, length_ + tokens);
  held.keys.narrow(1, length_, tokens).copy_(k.transpose(0, 1));
  held.values.narrow(1, length_, tokens).copy_(v.transpose(0, 1));
  return {held.keys.narrow(1, 0, length_ + tokens), held.values.narrow(1, 0, length_ + tokens)};
}

void KvBuffer::truncate(std::int64_t length) {
  WEFT_CHECK(length <= length_);
  length_ = length;
}

KvBuffer KvBuffer::first(std::int64_t length) const {
  WEFT_CHECK(length <= length_);
  KvBuffer copy(static_cast<int>(layers_.size()), static_cast<int>(kv_heads_), static_cast<int>(head_dim_), options_);
  for (std::size_t layer = 0; layer < layers_.size() && length > 0; ++layer) {
    copy.reserve(copy.layers_[layer], length);
    copy.layers_[layer].keys.narrow(1, 0, length).copy_(layers_[layer].keys.narrow(1, 0, length));
    copy.layers_[layer].values.narrow(1, 0, length).copy_(layers_[layer].values.narrow(1, 0, length));
  }
  copy.length_ = length;
  return copy;
}

void KvBuffer::commit(std::int64_t tokens) { length_ += tokens; }

}  // namespace weft::model
