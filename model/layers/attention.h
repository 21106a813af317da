// What differs between training and serving in attention, behind one small interface. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "model/layers/kv_blocks.h"

namespace weft::model {

// How a layer attends.
struct AttentionRule {
  int layer = 0;
  double scale = 1;         // times the scores
  std::int64_t window = 0;  // a token sees so many, itself and those before it; 0: all
};

class AttentionBackend {
 public:
  virtual ~AttentionBackend() = default;
  // q: [N, H, D], k and v: [N, Hk, D], rotated. Returns [N, H, D].
  virtual at::Tensor attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v) = 0;
};

// Serving on a processor: each sequence of the step attends causally to its own blocks, through the kernels.
class PagedAttention final : public AttentionBackend {
 public:
  struct Part {
    KvBlocks* kv;         // of one layout, all parts
    std::int64_t tokens;  // of this sequence in the step, in order
  };
  // Reserves the step's tokens in each part's blocks. Throws KvExhausted.
  PagedAttention(const Cpu& cpu, std::vector<Part> parts);
  at::Tensor attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) override;

 private:
  Cpu cpu_;
  std::vector<Part> parts_;
};

// Training and whole-prompt reference: the N tokens are documents end to end; a token sees what stands before it in its
// own document. Quadratic in a document's length, not in N; scores are in memory for some queries at a time, and with
// a graph all of them.
class DocumentAttention final : public AttentionBackend {
 public:
  explicit DocumentAttention(std::vector<std::int64_t> lengths) : lengths_(std::move(lengths)) {}  // sum: N
  at::Tensor attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) override;

 private:
  std::vector<std::int64_t> lengths_;
};

}  // namespace weft::model
