// Patterns as tokenizer files write them: what they match, how they fail, and that no text makes them run for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "model/tokenizer/splitter.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> pieces(const std::string& pattern, std::string_view text,
                                SplitBehavior behavior = SplitBehavior::kIsolated, bool invert = false) {
  const auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex) << regex.error().message;
  std::vector<std::string_view> views;
  Splitter{*regex, behavior, invert}.split(text, views);
  return {views.begin(), views.end()};
}

TEST(Splitter, DoesWithAMatchWhatItsBehaviorSays) {
  EXPECT_THAT(pieces("-", "a--b-c"), ElementsAre("a", "-", "-", "b", "-", "c"));
  EXPECT_THAT(pieces("-", "a--b-c", SplitBehavior::kRemoved), ElementsAre("a", "b", "c"));
  EXPECT_THAT(pieces("-", "a--b-c", SplitBehavior::kMergedWithPrevious), ElementsAre("a-", "-", "b-", "c"));
  EXPECT_THAT(pieces("-", "a--b-c", SplitBehavior::kMergedWithNext), ElementsAre("a", "-", "-b", "-c"));
  EXPECT_THAT(pieces("-", "a--b-c", SplitBehavior::kContiguous), ElementsAre("a", "--", "b", "-", "c"));
  EXPECT_THAT(pieces("[a-z]", "ab1c", SplitBehavior::kRemoved, true), ElementsAre("a", "b", "c"));
  EXPECT_THAT(pieces("x*", "axxb"), ElementsAre("a", "xx", "b"));
  EXPECT_THAT(pieces("-", ""), ElementsAre());
}

TEST(Regex, KnowsTheSpacesThatOnigurumaKnows) {
  for (const char* space : {" ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00a0", "\u2003", "\u2028", "\u3000"}) {
    EXPECT_THAT(pieces(R"(\s+)", std::string("a") + space), ElementsAre("a", space));
    EXPECT_THAT(pieces(R"([^\s]+)", std::string("a") + space), ElementsAre("a", space));
    EXPECT_THAT(pieces(R"(\S+)", std::string("a") + space), ElementsAre("a", space));
  }
  for (const char* other : {"\u180e", "\u200b", "\ufeff", "\x1c"}) {
    EXPECT_THAT(pieces(R"(\S+)", std::string("a") + other), ElementsAre(std::string("a") + other));
  }
  EXPECT_THAT(pieces(R"(\s+$)", "a \nb "), ElementsAre("a", " ", "\nb", " "));
  EXPECT_THAT(pieces(R"([\u4e00-\u9fa5]+)", "a漢字b"), ElementsAre("a", "漢字", "b"));
}

TEST(Regex, LiteralMeansItsTextAlone) {
  const auto regex = Regex::literal("a.*\\E\n▁");
  ASSERT_TRUE(regex) << regex.error().message;
  EXPECT_EQ(regex->find_all("xa.*\\E\n▁y").size(), 1U);
  EXPECT_EQ(regex->find_all("abcE\n▁").size(), 0U);
}

TEST(Regex, SaysWhereAPatternStopsBeingOne) {
  const auto open = Regex::compile("(a");
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().message,
              HasSubstr("the pattern '(a' does not compile: missing closing parenthesis at byte 2"));
  EXPECT_FALSE(Regex::compile(std::string(100'000, 'a')));
  EXPECT_FALSE(Regex::compile("\\C"));
}

// (a+)+b on a run of a tries every way to cut the run.
TEST(Regex, LeavesTheRestWholeWhereAPatternExplodes) {
  const std::string text = "b aab " + std::string(5000, 'a') + "c aab";
  const std::vector<std::string> found = pieces("(a+)+b", text);
  EXPECT_THAT(found, ElementsAre("b ", "aab", text.substr(5)));
}

TEST(Regex, MatchesOnManyThreadsAtOnce) {
  const auto regex = Regex::compile(R"( ?\p{L}+|\s+)");
  ASSERT_TRUE(regex);
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "word ";
  std::vector<std::jthread> threads;
  std::array<std::size_t, 4> counts{};
  for (std::size_t& count : counts) threads.emplace_back([&] { count = regex->find_all(text).size(); });
  threads.clear();
  EXPECT_THAT(counts, ::testing::Each(2001U));
}

}  // namespace
}  // namespace weft::model
