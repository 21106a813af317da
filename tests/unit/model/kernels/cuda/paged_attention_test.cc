// Paged attention against its definition: on the GPU in the CUDA build, else emulated.
#include "tests/unit/model/kernels/cuda/paged_attention_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::model::cuda {
namespace {

class OnDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = no_device(); !why.empty()) GTEST_SKIP() << why;
  }
};
template <class T>
class PagedAttentionTest : public OnDevice {};
using Types = testing::Types<float, Bf16, Half>;
TYPED_TEST_SUITE(PagedAttentionTest, Types);

// Around the ends of KV blocks, of tiles of 32 positions and of splits, and sequences of no token.
TYPED_TEST(PagedAttentionTest, RaggedBatchesOfEveryHeadSize) {
  for (const int head_size : {64, 80, 96, 128, 256}) {
    const CaseShape shape{.heads = 4,
                          .kv_heads = 2,
                          .head_size = head_size,
                          .block_tokens = 8,
                          .lengths = {0, 1, 7, 8, 9, 31, 32, 33, 65}};
    EXPECT_EQ(wrong(Case<TypeParam>(shape)), "") << head_size;
  }
}

TYPED_TEST(PagedAttentionTest, QueryHeadsThatShareAKvHead) {
  for (const int group : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17}) {
    const CaseShape shape{.heads = 2 * group, .kv_heads = 2, .block_tokens = 16, .lengths = {37, 5}};
    EXPECT_EQ(wrong(Case<TypeParam>(shape)), "") << group;
  }
}

TYPED_TEST(PagedAttentionTest, SplitsOfLongSequences) {
  for (const int longest : {32, 33, 64, 65, 96, 97, 128, 129, 160}) {  // 1 to 5 splits
    const CaseShape shape{.heads = 3,
                          .kv_heads = 1,
                          .head_size = 80,
                          .block_tokens = 16,
                          .tokens_per_split = 32,
                          .lengths = {longest, 0, 1, longest / 2, 32}};
    EXPECT_EQ(wrong(Case<TypeParam>(shape)), "") << longest;
  }
}

TYPED_TEST(PagedAttentionTest, ASlidingWindow) {
  for (const int window : {1, 15, 32, 33, 64, 100, 200}) {
    for (const int tokens_per_split : {32, 1024}) {
      const CaseShape shape{.heads = 2,
                            .kv_heads = 1,
                            .window = window,
                            .tokens_per_split = tokens_per_split,
                            .lengths = {130, 64, 33, 1, 0}};
      EXPECT_EQ(wrong(Case<TypeParam>(shape)), "") << window << ", splits of " << tokens_per_split;
    }
  }
}

// A sequence gets the same bits whatever it is batched with.
TYPED_TEST(PagedAttentionTest, BatchMatesChangeNothing) {
  CaseShape shape{.heads = 2, .kv_heads = 1, .tokens_per_split = 32, .lengths = {40, 40, 40}};
  const auto alike = Case<TypeParam>(shape).run();
  shape.lengths = {40, 7, 39};  // the same table lengths, so that the case holds the same values
  const auto ragged = Case<TypeParam>(shape).run();
  ASSERT_TRUE(alike && ragged);
  EXPECT_EQ(std::vector<float>(alike->begin(), alike->begin() + 128),
            std::vector<float>(ragged->begin(), ragged->begin() + 128));
}

TEST_F(OnDevice, WhatThereIsNoKernelForIsSaid) {
  const auto error = [](CaseShape shape) { return wrong(Case<float>(shape)); };
  EXPECT_THAT(error({.head_size = 72}), testing::HasSubstr("heads of size 72"));
  EXPECT_THAT(error({.heads = 5, .kv_heads = 2}), testing::HasSubstr("5 heads are no multiple of 2 KV heads"));
  EXPECT_THAT(error({.tokens_per_split = 40}), testing::HasSubstr("splits of 40 tokens"));
  EXPECT_THAT(error({.window = -1}), testing::HasSubstr("window of -1"));
}

}  // namespace
}  // namespace weft::model::cuda
