#include "generation/prefix_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace weft::generation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr AdapterId kBase{};

std::vector<TokenId> tokens(std::string_view letters) {
  std::vector<TokenId> out;
  for (const char letter : letters) out.emplace_back(letter);
  return out;
}

class PrefixCacheTest : public testing::Test {
 protected:
  void TearDown() override { cache_.check_invariants(); }
  void insert(std::string_view letters, std::uint64_t id) { cache_.insert(kBase, tokens(letters), SequenceId(id)); }
  std::size_t length(std::string_view letters) { return cache_.match(kBase, tokens(letters)).length; }
  std::vector<SequenceId> released() { return cache_.take_moves().released; }

  std::uint64_t last_ = 100;  // ids that the cache asks for come after those of the tests
  PrefixCache cache_{[this] { return SequenceId(++last_); }};
};

TEST_F(PrefixCacheTest, NothingIsHeldAtFirst) {
  EXPECT_EQ(length("abc"), 0U);
  EXPECT_EQ(cache_.evict(10), 0U);
  EXPECT_FALSE(cache_.has_moves());
}

TEST_F(PrefixCacheTest, TheLongestPrefixIsFoundWhereverItEnds) {
  insert("abcdef", 1);
  insert("abcxyz", 2);
  EXPECT_EQ(length("abcdef"), 6U);
  EXPECT_EQ(length("abcdefg"), 6U);
  EXPECT_EQ(length("abcdx"), 4U);
  EXPECT_EQ(length("abcq"), 3U);
  EXPECT_EQ(length("b"), 0U);
  EXPECT_EQ(cache_.match(kBase, tokens("abcxy")).sequence, SequenceId(2));
  EXPECT_EQ(cache_.match(kBase, tokens("abcde")).sequence, SequenceId(1));
  EXPECT_EQ(cache_.tokens(), 9U);
  EXPECT_THAT(released(), IsEmpty());
}

TEST_F(PrefixCacheTest, WhatIsHeldAlreadyIsLetGo) {
  insert("abcdef", 1);
  insert("abc", 2);
  insert("abcdef", 3);
  EXPECT_THAT(released(), ElementsAre(SequenceId(2), SequenceId(3)));
  EXPECT_EQ(cache_.tokens(), 6U);
}

TEST_F(PrefixCacheTest, ALongerOneTakesTheShortersPlace) {
  insert("abc", 1);
  insert("abcdef", 2);
  EXPECT_THAT(released(), ElementsAre(SequenceId(1)));
  EXPECT_EQ(cache_.match(kBase, tokens("ab")).sequence, SequenceId(2));
}

TEST_F(PrefixCacheTest, AdaptersShareNothing) {
  insert("abc", 1);
  EXPECT_EQ(cache_.match(AdapterId(1), tokens("abc")).length, 0U);
  cache_.insert(AdapterId(1), tokens("abc"), SequenceId(2));
  EXPECT_EQ(cache_.match(AdapterId(1), tokens("abc")).sequence, SequenceId(2));
  cache_.drop(AdapterId(1));
  EXPECT_THAT(released(), ElementsAre(SequenceId(2)));
  EXPECT_EQ(cache_.match(AdapterId(1), tokens("abc")).length, 0U);
  EXPECT_EQ(length("abc"), 3U);
}

TEST_F(PrefixCacheTest, TheLeafUnusedForLongestGoesFirst) {
  insert("abc1", 1);
  insert("abc2", 2);
  insert("xyz", 3);
  EXPECT_EQ(length("abc1"), 4U);
  EXPECT_EQ(length("xyz"), 3U);
  EXPECT_EQ(cache_.evict(1), 1U);  // abc2, of which abc is shared
  EXPECT_THAT(released(), ElementsAre(SequenceId(2)));
  EXPECT_EQ(length("abc2"), 3U);
  EXPECT_EQ(length("xyz"), 3U);
}

TEST_F(PrefixCacheTest, WhatOnlyALeafHeldIsGivenASequenceOfItsOwn) {
  insert("abc1", 1);
  insert("abc2", 2);
  EXPECT_EQ(length("abc"), 3U);
  EXPECT_EQ(cache_.evict(2), 2U);  // both ends, of which the last alone held "abc"
  const SequenceMoves moves = cache_.take_moves();
  ASSERT_EQ(moves.forks.size(), 1U);
  EXPECT_EQ(moves.forks[0].length, Position(3));
  EXPECT_EQ(moves.forks[0].to, SequenceId(101));
  EXPECT_THAT(moves.released, testing::UnorderedElementsAre(SequenceId(1), SequenceId(2)));
  EXPECT_EQ(cache_.match(kBase, tokens("abcd")).sequence, SequenceId(101));
  EXPECT_EQ(cache_.evict(100), 3U);
  EXPECT_EQ(cache_.tokens(), 0U);
}

TEST_F(PrefixCacheTest, APinnedPathStaysAndWhatIsBelowItGoes) {
  insert("abcdef", 1);
  insert("xyz", 2);
  {
    const PrefixCache::Match held = cache_.match(kBase, tokens("abcd"));
    insert("abcdzz", 3);  // the pinned node is parted
    EXPECT_EQ(cache_.evict(100), 5U);
    EXPECT_EQ(length("abcdef"), 6U);
  }
  EXPECT_EQ(cache_.evict(100), 6U);
}

TEST_F(PrefixCacheTest, APinMayOutliveTheCache) {
  PrefixCache::Match held;
  PrefixCache other([] { return SequenceId(7); });
  other.insert(kBase, tokens("abc"), SequenceId(1));
  held = other.match(kBase, tokens("abc"));
  other.clear();
  EXPECT_THAT(other.take_moves().released, ElementsAre(SequenceId(1)));
}

TEST_F(PrefixCacheTest, PathsAreWholeAndTheLastUsedComesFirst) {
  insert("abcd", 1);
  insert("abxy", 2);
  EXPECT_EQ(length("abcd"), 4U);
  const auto paths = cache_.paths();
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(paths[0].tokens, tokens("abcd"));
  EXPECT_EQ(paths[1].tokens, tokens("abxy"));
  EXPECT_EQ(paths[1].sequence, SequenceId(2));
}

}  // namespace
}  // namespace weft::generation
