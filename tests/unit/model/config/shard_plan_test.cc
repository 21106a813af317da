// ShardPlan: who owns what, and which numbers of ranks fit.
#include "model/config/shard_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace weft::model {
namespace {

using testing::HasSubstr;

constexpr ShardedSizes kSizes{.heads = 8, .kv_heads = 2, .intermediate = 96};

std::vector<std::int64_t> begins(const ShardPlan& plan, Shard shard, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> out;
  for (int rank = 0; rank < plan.ranks(); ++rank) out.push_back(plan.slice(shard, shape, Rank(rank)).begin);
  return out;
}

TEST(ShardPlan, AGroupOfOneOwnsEverything) {
  const std::vector<std::int64_t> shape{12, 6};
  for (const Shard shard : {Shard::kNone, Shard::kRows, Shard::kKvRows}) {
    const ShardSlice slice = ShardPlan::solo().slice(shard, shape, Rank(0));
    EXPECT_EQ(slice.dimension, 0);
    EXPECT_EQ(slice.begin, 0);
    EXPECT_EQ(slice.length, 12);
    EXPECT_EQ(slice.padding, 0);
  }
}

TEST(ShardPlan, RowsAndColumnsAreSplitEvenlyInRankOrder) {
  const auto plan = ShardPlan::make(4, kSizes);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(begins(*plan, Shard::kRows, {96, 64}), (std::vector<std::int64_t>{0, 24, 48, 72}));
  EXPECT_EQ(begins(*plan, Shard::kColumns, {64, 96}), (std::vector<std::int64_t>{0, 24, 48, 72}));
  EXPECT_EQ(plan->slice(Shard::kRows, std::vector<std::int64_t>{96, 64}, Rank(1)).dimension, 0);
  EXPECT_EQ(plan->slice(Shard::kColumns, std::vector<std::int64_t>{64, 96}, Rank(1)).dimension, 1);
  EXPECT_EQ(plan->slice(Shard::kNone, std::vector<std::int64_t>{64}, Rank(3)).length, 64);
}

TEST(ShardPlan, KeyAndValueHeadsAreSplitAndThenReplicated) {
  const std::vector<std::int64_t> shape{2 * 16, 64};  // [Hk * D, hidden]
  const auto two = ShardPlan::make(2, kSizes), eight = ShardPlan::make(8, kSizes);
  ASSERT_TRUE(two && eight);
  EXPECT_EQ(begins(*two, Shard::kKvRows, shape), (std::vector<std::int64_t>{0, 16}));
  EXPECT_EQ(begins(*eight, Shard::kKvRows, shape), (std::vector<std::int64_t>{0, 0, 0, 0, 16, 16, 16, 16}));
  EXPECT_EQ(eight->slice(Shard::kKvRows, shape, Rank(5)).length, 16);
  EXPECT_EQ(two->local_kv_heads(), 1);
  EXPECT_EQ(eight->local_kv_heads(), 1);
  EXPECT_EQ(ShardPlan::solo().local_kv_heads(), 1);
}

TEST(ShardPlan, AVocabularyThatDoesNotDivideIsPaddedAtItsEnd) {
  const auto plan = ShardPlan::make(4, kSizes);
  ASSERT_TRUE(plan);
  const std::vector<std::int64_t> shape{5, 64};
  std::int64_t owned = 0;
  for (int rank = 0; rank < 4; ++rank) {
    const ShardSlice slice = plan->slice(Shard::kRows, shape, Rank(rank));
    EXPECT_EQ(slice.padded_length(), 2) << rank;
    EXPECT_LE(slice.begin + slice.length, 5) << rank;
    owned += slice.length;
  }
  EXPECT_EQ(owned, 5);
}

TEST(ShardPlan, RefusesWhatDoesNotDivideAndSaysWhatWould) {
  const auto heads = ShardPlan::make(3, kSizes);
  ASSERT_FALSE(heads);
  EXPECT_THAT(heads.error().message, HasSubstr("over 3 ranks: its 8 attention heads do not divide evenly"));
  EXPECT_THAT(heads.error().message, HasSubstr("1, 2, 4, 8 would do"));
  const auto inside = ShardPlan::make(8, {.heads = 8, .kv_heads = 8, .intermediate = 100});
  ASSERT_FALSE(inside);
  EXPECT_THAT(inside.error().message, HasSubstr("100 features"));
  const auto kv = ShardPlan::make(4, {.heads = 12, .kv_heads = 3, .intermediate = 96});
  ASSERT_FALSE(kv);
  EXPECT_THAT(kv.error().message, HasSubstr("3 key and value heads"));
  EXPECT_FALSE(ShardPlan::make(0, kSizes));
  EXPECT_FALSE(ShardPlan::make(kMaxRanks + 1, kSizes));
}

}  // namespace
}  // namespace weft::model
