#include "model/kernels/cuda/paged_attention.h"

#include "model/kernels/cuda/paged_attention_launch.h"

namespace weft::model::cuda {

Expected<void> paged_attention(const PagedAttention& attention, void* stream) {
  const PagedAttention& a = attention;
  if (a.sequences <= 0 || a.kv_heads <= 0 || a.block_tokens <= 0 || a.blocks_per_table <= 0 || a.max_length < 0) {
    return make_error(
        "paged attention of {} sequences, {} KV heads, blocks of {} tokens, {} blocks a sequence, length {}",
        a.sequences, a.kv_heads, a.block_tokens, a.blocks_per_table, a.max_length);
  }
  if (a.heads <= 0 || a.heads % a.kv_heads != 0) {
    return make_error("paged attention: {} heads are no multiple of {} KV heads", a.heads, a.kv_heads);
  }
  if (a.tokens_per_split <= 0 || a.tokens_per_split % kSplitMultiple != 0) {
    return make_error("paged attention: splits of {} tokens, not of a multiple of {}", a.tokens_per_split,
                      kSplitMultiple);
  }
  if (a.max_length > static_cast<std::int64_t>(a.blocks_per_table) * a.block_tokens) {
    return make_error("paged attention: length {} in {} blocks of {} tokens", a.max_length, a.blocks_per_table,
                      a.block_tokens);
  }
  if (a.window < 0) return make_error("paged attention: window of {} tokens", a.window);
  if (!launch_paged_attention(a, stream)) {
    return make_error("paged attention: no kernel for heads of size {} (there are 64, 80, 96, 128, 256)", a.head_size);
  }
  if (const char* error = last_launch_error()) return make_error("paged attention: {}", error);
  return {};
}

}  // namespace weft::model::cuda
