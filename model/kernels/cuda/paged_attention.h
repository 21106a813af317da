// Attention of the newest token of each sequence over its paged KV cache: decode. Enqueues on a stream and returns; the
// memory named here is the device's, aligned to 16 bytes, and must live until the stream came by. The host cannot look
// into it: that lengths stay below max_length and tables name blocks that exist is the caller's to hold. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/base/expected.h"

namespace weft::model::cuda {

enum class ElementType { kFloat32, kBfloat16, kFloat16 };

// The letters: B sequences, H heads, Hk key and value heads, D head size; S splits, splits() of them.
struct PagedAttention {
  ElementType type{};  // of q, keys, values and out
  int sequences = 0, heads = 0, kv_heads = 0, head_size = 0;
  int block_tokens = 0;      // tokens in a KV block
  int blocks_per_table = 0;  // row length of block_tables
  int max_length = 0;        // no sequence is longer; what is launched depends on it, what is computed does not
  int window = 0;            // how many of the newest tokens are seen; 0: all
  // A sequence is cut at the multiples of this, so that its result does not depend on those it is batched with. A
  // multiple of 32.
  int tokens_per_split = 256;
  float scale = 1;

  const void* q = nullptr;                     // [B, H, D]
  const void* keys = nullptr;                  // [blocks, Hk, block_tokens, D]
  const void* values = nullptr;                // [blocks, Hk, block_tokens, D]
  const std::int32_t* block_tables = nullptr;  // [B, blocks_per_table]
  const std::int32_t* lengths = nullptr;       // [B], the newest token included; 0: out is zeros
  void* out = nullptr;                         // [B, H, D]
  float* partials = nullptr;                   // [B, H, S, D + 2]; unused where S is 1

  [[nodiscard]] int splits() const {
    return max_length > tokens_per_split ? (max_length + tokens_per_split - 1) / tokens_per_split : 1;
  }
  [[nodiscard]] std::size_t partials_count() const {
    return splits() == 1 ? 0
                         : static_cast<std::size_t>(sequences) * static_cast<std::size_t>(heads) *
                               static_cast<std::size_t>(splits()) * static_cast<std::size_t>(head_size + 2);
  }
};

// Errors: a shape that there is no kernel for, a launch that CUDA refused. `stream`: a cudaStream_t.
Expected<void> paged_attention(const PagedAttention& attention, void* stream);

}  // namespace weft::model::cuda
