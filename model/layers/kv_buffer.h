// KvBuffer: one sequence's keys and values in plain growing tensors, for the decoder of an encoder-decoder. Engine
// thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace weft::model {

// Keys and values of one sequence up to and including the step's tokens.
struct KvSlices {
  at::Tensor keys, values;  // [Hk, T, D]
};

// KvView: one sequence's cache as the attention sees it, whatever holds it (a plain buffer today, blocks later).
class KvView {
 public:
  virtual ~KvView() = default;
  [[nodiscard]] virtual std::int64_t length() const = 0;  // tokens held before this step
  // Writes k, v [n, Hk, D] at positions length() … length()+n-1 of `layer` and returns all that the step may look at.
  virtual KvSlices extend(int layer, const at::Tensor& k, const at::Tensor& v) = 0;
};

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
