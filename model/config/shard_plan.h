// ShardPlan: which part of a weight a rank owns, as Megatron-LM splits them (Shoeybi et al. 2019). Pure, free of torch.
// Letters: R ranks, H query heads, Hk key and value heads, D head size, V vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "model/base/expected.h"
#include "model/base/strong_id.h"

namespace weft::model {

// How a weight is split. kRows: output features. kColumns: input features. kKvRows: as kRows by whole KV heads, which
// are replicated where ranks exceed them. kNone: every rank holds it whole.
enum class Shard { kNone, kRows, kColumns, kKvRows };

constexpr int kMaxRanks = 64;  // kMaxTensorParallel of model/runner.h

// What is split, of the whole model.
struct ShardedSizes {
  std::int64_t heads = 1, kv_heads = 1;
  std::int64_t intermediate = 1;  // of dense MLPs; 0: there is none
};

// Indices begin … begin+length-1 of one dimension, and so many zeros behind them.
struct ShardSlice {
  int dimension = 0;
  std::int64_t begin = 0, length = 0, padding = 0;
  [[nodiscard]] std::int64_t padded_length() const { return length + padding; }
};

// Experts are dealt out whole, in runs: the first of a rank's and the one behind its last. With more ranks than experts
// some have none.
[[nodiscard]] std::pair<int, int> share_of_experts(int count, Rank rank, int ranks);

class ShardPlan {
 public:
  // Error: sizes that so many ranks do not divide, and which numbers would do. The vocabulary needs no dividing: its
  // last slices are padded.
  static Expected<ShardPlan> make(int ranks, const ShardedSizes& sizes);
  static ShardPlan solo() { return {1, 1}; }

  [[nodiscard]] int ranks() const { return ranks_; }
  [[nodiscard]] std::int64_t local_kv_heads() const { return kv_heads_ < ranks_ ? 1 : kv_heads_ / ranks_; }
  // The rank's part of a weight of `shape` ([out, in] or [out]; kColumns splits the last dimension).
  [[nodiscard]] ShardSlice slice(Shard shard, std::span<const std::int64_t> shape, Rank rank) const;

 private:
  ShardPlan(int ranks, std::int64_t kv_heads) : ranks_(ranks), kv_heads_(kv_heads) {}
  int ranks_;
  std::int64_t kv_heads_;
};

}  // namespace weft::model
