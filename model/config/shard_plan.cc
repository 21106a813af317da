#include "model/config/shard_plan.h"

#include <algorithm>
#include <string>

namespace weft::model {
namespace {

// Empty: so many ranks fit.
std::string obstacle(std::int64_t ranks, const ShardedSizes& sizes) {
  if (sizes.heads % ranks != 0) return fmt::format("its {} attention heads", sizes.heads);
  if (sizes.intermediate % ranks != 0) return fmt::format("the {} features inside its MLP", sizes.intermediate);
  const bool kv_fits = sizes.kv_heads >= ranks ? sizes.kv_heads % ranks == 0 : ranks % sizes.kv_heads == 0;
  return kv_fits ? "" : fmt::format("its {} key and value heads", sizes.kv_heads);
}

std::string possible_counts(const ShardedSizes& sizes) {
  std::string out;
  for (int ranks = 1; ranks <= kMaxRanks; ++ranks) {
    if (obstacle(ranks, sizes).empty()) out += fmt::format("{}{}", out.empty() ? "" : ", ", ranks);
  }
  return out;
}

}  // namespace

std::pair<int, int> share_of_experts(int count, Rank rank, int ranks) {
  const int share = (count + ranks - 1) / ranks;
  const int begin = std::min(share * rank.value(), count);
  return {begin, std::min(begin + share, count)};
}

Expected<ShardPlan> ShardPlan::make(int ranks, const ShardedSizes& sizes) {
  if (ranks < 1 || ranks > kMaxRanks) return make_error("{} ranks: expected 1 to {}", ranks, kMaxRanks);
  if (const std::string what = obstacle(ranks, sizes); !what.empty()) {
    return make_error("this model cannot be split over {} ranks: {} do not divide evenly; {} would do", ranks, what,
                      possible_counts(sizes));
  }
  return ShardPlan(ranks, sizes.kv_heads);
}

ShardSlice ShardPlan::slice(Shard shard, std::span<const std::int64_t> shape, Rank rank) const {
  const int dimension = shard == Shard::kColumns ? static_cast<int>(shape.size()) - 1 : 0;
  const std::int64_t whole = shape[static_cast<std::size_t>(dimension)];
  if (shard == Shard::kNone) return {dimension, 0, whole, 0};
  if (shard == Shard::kKvRows && kv_heads_ < ranks_) {
    const std::int64_t head_rows = whole / kv_heads_;
    return {dimension, rank.value() / (ranks_ / kv_heads_) * head_rows, head_rows, 0};
  }
  const std::int64_t share = (whole + ranks_ - 1) / ranks_;
  const std::int64_t begin = std::min(share * rank.value(), whole);
  const std::int64_t length = std::min(share, whole - begin);
  return {dimension, begin, length, share - length};
}

}  // namespace weft::model
