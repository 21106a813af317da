// KvBuffer: one sequence's keys and values in plain growing tensors, the simplest KvView. Engine thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/config/model_config.h"
#include "model/layers/attention.h"

namespace weft::model {

class KvBuffer final : public KvView {
 public:
  // local_kv_heads: of this rank. Storage grows by doubling up to max_positions.
  KvBuffer(int layers, int local_kv_heads, int head_dim, at::TensorOptions options);
  [[nodiscard]] std::int64_t length() const override { return length_; }
  KvSlices extend(int layer, const at::Tensor& k, const at::Tensor& v) override;
  void truncate(std::int64_t length);  // drops what stands at positions >= length
  void commit(std::int64_t tokens);    // after the last layer of a step: the step's tokens now count
  [[nodiscard]] KvBuffer first(std::int64_t length) const;  // a copy of what stands at positions < length

 private:
  struct Layer {
    at::Tensor keys, values;  // [Hk, capacity, D]
  };
  void reserve(Layer& layer, std::int64_t capacity) const;
  std::int64_t kv_heads_, head_dim_, length_ = 0;
  at::TensorOptions options_;
  std::vector<Layer> layers_;
};

}  // namespace weft::model
