// Attention over keys and values in blocks, on the CPU: causal, with grouped heads, for the tokens of one step, ragged
// over sequences. Pure functions; one call at a time for a thread.
//
// Letters: N tokens in the step, H query heads, Hk heads of keys and values (H a multiple of Hk), D head size. A block
// holds [Hk, block_tokens, D]; a sequence's token t lies in its block t / block_tokens, there at t % block_tokens.
//
// The output of a token depends on that token's query and on the keys and values that it sees, bit for bit: not on the
// tokens beside it, on how keys fall into blocks, nor on threads. Keys are taken in spans of fixed places, the spans'
// softmax is put together in their order.
#pragma once

#include <cstdint>
#include <span>

#include "model/kernels/workers.h"

namespace weft::model {

enum class KvFormat { kFloat32, kBFloat16 };

struct KvLayout {
  KvFormat format = KvFormat::kFloat32;
  std::int64_t kv_heads = 0, head_dim = 0, block_tokens = 0;
};

// One sequence's part of a step: `tokens` rows of q, k, v, which stand at positions past … past + tokens - 1.
struct SequenceBlocks {
  std::int64_t past = 0, tokens = 0;
  std::span<void*const> keys, values;  // at least ceil((past + tokens) / block_tokens) blocks each, of one layer
};

struct AttentionOptions {
  std::int64_t query_heads = 0;
  float scale = 0;          // of q · k, as a rule D ** -0.5
  std::int64_t window = 0;  // a token sees itself and the window - 1 before it; 0: all
};

// Rows of N tokens: token i begins at data + i * stride, its heads follow each other.
struct TokenRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

// Writes the step's rotated keys and values, [N, Hk, D], to their blocks; bfloat16 is rounded to nearest even.
void store_kv(const Cpu& cpu, const KvLayout& layout, std::span<const SequenceBlocks> sequences, TokenRows k,
              TokenRows v);

// out [N, H, D] from q [N, H, D], where the step's own keys and values are already stored. q and out may be the same.
void attend(const Cpu& cpu, const KvLayout& layout, const AttentionOptions& options,
            std::span<const SequenceBlocks> sequences, TokenRows q, float* out, std::int64_t out_stride);

}  // namespace weft::model
