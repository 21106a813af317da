// What differs between training and serving in attention, behind one small interface. Compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

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

// Serving: each sequence of the step attends causally to its own cache, through SDPA.
class CachedAttention final : public AttentionBackend {
 public:
  struct Part {
    KvView* kv;
    std::int64_t tokens;  // of this sequence in the step, in order
  };
  explicit CachedAttention(std::vector<Part> parts) : parts_(std::move(parts)) {}
  at::Tensor attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) override;

 private:
  std::vector<Part> parts_;
};

// Training and whole-prompt reference: the N tokens are documents end to end; a token sees what stands before it in its
// own document. Quadratic in a document's length, not in N.
class DocumentAttention final : public AttentionBackend {
 public:
  explicit DocumentAttention(std::vector<std::int64_t> lengths) : lengths_(std::move(lengths)) {}  // sum: N
  at::Tensor attend(const AttentionRule& rule, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) override;

 private:
  std::vector<std::int64_t> lengths_;
};

}  // namespace weft::model
