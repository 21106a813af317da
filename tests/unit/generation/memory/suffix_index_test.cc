#include "generation/memory/suffix_index.h"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/unit/generation/memory/letters.h"

namespace weft::generation {
namespace {

TEST(SuffixIndex, SaysWhatFollowedTheLongestMatchMostFrequentFirst) {
  SuffixIndex index;
  index.set_text(1, letters("self.x = self.y; self.x"));
  EXPECT_EQ(said(index.longest_match(letters("= self."))), "7: y1");
  EXPECT_EQ(said(index.longest_match(letters("(self."))), "5: x2 y1");
  EXPECT_EQ(said(index.longest_match(letters("?"))), "0:");
  EXPECT_EQ(said(index.longest_match({})), "0:");
}

TEST(SuffixIndex, PutsTheNewestOfEquallyFrequentContinuationsFirst) {
  SuffixIndex index;
  index.set_text(1, letters("ax"));
  index.set_text(2, letters("ay"));
  EXPECT_EQ(said(index.longest_match(letters("a"))), "1: y1 x1");
  index.set_text(1, letters("ax"));
  EXPECT_EQ(said(index.longest_match(letters("a"))), "1: x1 y1");
}

TEST(SuffixIndex, DoesNotMatchTheEndOfATextWithItself) {
  SuffixIndex index;
  index.append(1, letters("abcabc"));
  EXPECT_EQ(said(index.longest_match(letters("abcabc"))), "3: a1");
}

TEST(SuffixIndex, NeitherMatchesAcrossTextsNorOffersTokensOfTheContext) {
  SuffixIndex index;
  index.set_text(1, letters("ab"));
  index.set_text(2, letters("cd"));
  EXPECT_EQ(said(index.longest_match(letters("b"))), "0:");
  index.set_text(2, letters("abcd"), 2);  // what it follows is compared
  EXPECT_EQ(said(index.longest_match(letters("ab"))), "2: c1");
  EXPECT_EQ(index.tokens(), 4u);
}

TEST(SuffixIndex, CountsTheTextsThatAreThereAlone) {
  SuffixIndex index;
  index.set_text(1, letters("abx"));
  index.set_text(2, letters("bcx"));
  index.remove_text(1);
  index.remove_text(3);
  EXPECT_EQ(said(index.longest_match(letters("ab"))), "1: c1");
  index.remove_text(2);
  EXPECT_EQ(said(index.longest_match(letters("ab"))), "0:");
}

TEST(SuffixIndex, SnapshotKeepsWhatItWasTakenOf) {
  SuffixIndex index;
  index.append(1, letters("ab"));
  const auto before = index.snapshot();
  index.append(1, letters("ac"));
  const auto between = index.snapshot();
  index.remove_text(1);
  EXPECT_EQ(said(before->longest_match(letters("a"))), "1: b1");
  EXPECT_EQ(said(between->longest_match(letters("a"))), "1: c1 b1");
  EXPECT_EQ(said(index.longest_match(letters("a"))), "0:");
}

TEST(SuffixIndex, LeavesOneTextOutOfALookUp) {
  SuffixIndex index;
  index.set_text(1, letters("abcx"));
  index.set_text(2, letters("bcy"));
  EXPECT_EQ(said(index.snapshot()->longest_match(letters("abc"), 1)), "2: y1");
}

// However many places there are, some of all parts are counted.
TEST(SuffixIndex, CountsABoundedNumberOfPlacesSpreadOverAll) {
  SuffixIndex index({.longest_match = 4, .places = 10});
  for (int i = 0; i < 1000; ++i) {
    index.set_text(static_cast<TextId>(i), std::vector{TokenId(1000 + i), TokenId(1), TokenId(i < 700 ? 2 : 3)});
  }
  const SuffixMatch match = index.longest_match(std::vector{TokenId(5000), TokenId(1)});
  EXPECT_EQ(match.length, 1u);
  ASSERT_EQ(match.continuations.size(), 2u);
  EXPECT_EQ(match.continuations[0].token, TokenId(2));
  EXPECT_EQ(match.continuations[0].count, 7u);
  EXPECT_EQ(match.continuations[1].count, 3u);
}

}  // namespace
}  // namespace weft::generation
