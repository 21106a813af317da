// What attend (attention.cc) asks of an instruction set. Pure.
//
// A task is some tokens of one sequence with one head of keys and values: its rows are (token, query head of the
// group), all of which read the same keys. Keys are taken in tiles of 64 within spans of 512, both at fixed positions.
// A span's softmax is online (Milakov and Gimelshein 2018): a row keeps the largest score so far m, the sum l of
// 2^(score - m) and the values weighted so, o. Spans are joined the same way in their order, whoever computed them, so
// that the result's bits do not depend on how the work was cut.
#pragma once

#include <cstdint>

#include "model/kernels/attention.h"
#include "model/kernels/cpu_isa.h"

namespace weft::model {

constexpr std::int64_t kTileKeys = 64;
constexpr std::int64_t kSpanKeys = 512;
constexpr std::int64_t kVectorPad = 16;  // the widest vector, in floats: head sizes are rounded up to it in scratch

// Softmax of some keys: [rows] maxima, in powers of two, [rows] sums, [rows][padded head size] weighted values.
struct SoftmaxPart {
  float* maximum;
  float* sum;
  float* values;
};

struct AttentionTask {
  KvLayout layout;
  const SequenceBlocks* sequence;
  std::int64_t head;        // of keys and values
  std::int64_t group;       // query heads that share it
  std::int64_t first, end;  // tokens of the sequence's step
  float scale;
  std::int64_t window;
  const float* q;  // the first token's first query head of the group
  std::int64_t q_stride;
  [[nodiscard]] std::int64_t rows() const { return (end - first) * group; }
  [[nodiscard]] std::int64_t padded_dim() const { return (layout.head_dim + kVectorPad - 1) / kVectorPad * kVectorPad; }
};

struct AttentionKernels {
  // Of the task's rows with the keys of one span. `scratch`: attention_scratch_floats(task) floats, aligned to 64
  // bytes.
  void (*span)(const AttentionTask& task, std::int64_t span, SoftmaxPart part, float* scratch);
  // Joins `next` to `all`, of `rows` rows.
  void (*join)(SoftmaxPart all, SoftmaxPart next, std::int64_t rows, std::int64_t padded_dim);
  // out = values / sum, where the first token's first head goes to `out`.
  void (*finish)(const AttentionTask& task, SoftmaxPart all, float* out, std::int64_t out_stride);
};

// Queries, transposed keys, values, scores and factors.
inline std::int64_t attention_scratch_floats(const AttentionTask& task) {
  return task.rows() * (task.padded_dim() + kTileKeys + kVectorPad) + 2 * kTileKeys * task.padded_dim();
}

const AttentionKernels& attention_kernels(Isa isa);

#if defined(__x86_64__)
AttentionKernels avx2_attention_kernels();
AttentionKernels avx512_attention_kernels();
#endif

}  // namespace weft::model
