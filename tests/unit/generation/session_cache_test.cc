#include "generation/session_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::generation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<TokenId> tokens(std::initializer_list<int> values) {
  std::vector<TokenId> out;
  for (const int value : values) out.emplace_back(value);
  return out;
}

SessionKey base(std::string session) { return {std::move(session), AdapterId()}; }

HeldSequence sequence(std::uint64_t id) { return {SequenceId(id), tokens({1, 2})}; }

TEST(CommonPrefix, CountsWhatAgrees) {
  EXPECT_EQ(common_prefix(tokens({1, 2, 3}), tokens({1, 2, 4, 5})), 2U);
  EXPECT_EQ(common_prefix(tokens({1, 2}), tokens({1, 2, 3})), 2U);
  EXPECT_EQ(common_prefix(tokens({1, 2, 3}), tokens({1, 2})), 2U);
  EXPECT_EQ(common_prefix(tokens({}), tokens({1})), 0U);
}

TEST(SessionCache, HandsASequenceOverOnce) {
  SessionCache cache(4);
  cache.keep(base("a"), sequence(1));
  const auto taken = cache.take(base("a"));
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->id, SequenceId(1));
  EXPECT_EQ(taken->tokens, tokens({1, 2}));
  EXPECT_FALSE(cache.take(base("a")).has_value());
  EXPECT_THAT(cache.take_released(), IsEmpty());
}

TEST(SessionCache, ANewerSequenceReplacesTheSessionsOlder) {
  SessionCache cache(4);
  cache.keep(base("a"), sequence(1));
  cache.keep(base("a"), sequence(2));
  EXPECT_THAT(cache.take_released(), ElementsAre(SequenceId(1)));
  EXPECT_EQ(cache.take(base("a"))->id, SequenceId(2));
}

TEST(SessionCache, TheOneUnusedForLongestGoesFirst) {
  SessionCache cache(2);
  cache.keep(base("a"), sequence(1));
  cache.keep(base("b"), sequence(2));
  cache.keep(base("a"), *cache.take(base("a")));
  cache.keep(base("c"), sequence(3));
  EXPECT_THAT(cache.take_released(), ElementsAre(SequenceId(2)));
  EXPECT_TRUE(cache.take(base("a")).has_value());
  EXPECT_TRUE(cache.take(base("c")).has_value());
}

TEST(SessionCache, TheEmptySessionKeepsNothing) {
  SessionCache cache(2);
  cache.keep(base(""), sequence(1));
  EXPECT_FALSE(cache.take(base("")).has_value());
  EXPECT_THAT(cache.take_released(), ElementsAre(SequenceId(1)));
}

TEST(SessionCache, AnAdapterHasItsOwnAndDropsItsOwn) {
  SessionCache cache(4);
  const SessionKey adapted{"a", AdapterId(7)};
  cache.keep(base("a"), sequence(1));
  EXPECT_FALSE(cache.take(adapted).has_value());
  cache.keep(adapted, sequence(2));
  cache.keep({"b", AdapterId(7)}, sequence(3));
  EXPECT_THAT(cache.take_released(), IsEmpty());
  cache.drop(AdapterId(7));
  EXPECT_THAT(cache.take_released(), testing::UnorderedElementsAre(SequenceId(2), SequenceId(3)));
  EXPECT_FALSE(cache.take(adapted).has_value());
  EXPECT_EQ(cache.take(base("a"))->id, SequenceId(1));
}

TEST(SessionCache, ClearReleasesEachOnce) {
  SessionCache cache(2);
  cache.keep(base("a"), sequence(1));
  cache.keep(base("b"), sequence(2));
  cache.clear();
  EXPECT_THAT(cache.take_released(), testing::UnorderedElementsAre(SequenceId(1), SequenceId(2)));
  EXPECT_THAT(cache.take_released(), IsEmpty());
}

}  // namespace
}  // namespace weft::generation
