#include "generation/completion/copies.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "generation/completion/candidates.h"
#include "generation/memory/environment_builder.h"
#include "tests/support/byte_tokenizer.h"

namespace weft::generation {
namespace {

const std::string kFree = "def free(value):\n    return value + 1000000\n";
const std::string kBound = "def bound(thing):\n    return thing * 7777777\n";

class CopiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/copies.index";
    auto builder = EnvironmentBuilder::create(path_);
    ASSERT_TRUE(builder);
    // A permissive package comes first and has the text too: the other one's licence counts all the same.
    ASSERT_TRUE(builder->add({"free", "1", "MIT"}, "free/a.py", tokenizer_.encode(kFree)));
    ASSERT_TRUE(builder->add({"bound", "2", "GPL-3.0-only"}, "bound/b.py", tokenizer_.encode(kBound)));
    ASSERT_TRUE(
        builder->add({"unknown", "3", ""}, "unknown.py", tokenizer_.encode("x = 'a text of nobody knows whom'\n")));
    ASSERT_TRUE(builder->finish(1, {}));
    auto index = EnvironmentIndex::open(path_, 1, claim_memory);
    ASSERT_TRUE(index);
    index_ = *index;
  }
  void TearDown() override { std::filesystem::remove(path_); }
  [[nodiscard]] Copies find(std::string_view text) const { return find_copies(text, *index_, tokenizer_); }

  test::ByteTokenizer tokenizer_;
  std::string path_;
  std::shared_ptr<const EnvironmentIndex> index_;
};

TEST_F(CopiesTest, ALongRunOfAPermissivePackageIsNamed) {
  const Copies copies = find("x = 1; " + kFree.substr(0, 40));
  EXPECT_FALSE(copies.forbidden);
  ASSERT_TRUE(copies.longest);
  EXPECT_EQ(copies.longest->package, "free");
  EXPECT_EQ(copies.longest->version, "1");
  EXPECT_EQ(copies.longest->licence, "MIT");
  EXPECT_EQ(copies.longest->file, "free/a.py");
  EXPECT_EQ(copies.longest->tokens, kEnvironmentMatch);
}

TEST_F(CopiesTest, ALongRunOfAnotherIsForbiddenAShortOneIsNot) {
  const Copies copies = find("y = 2; " + kBound.substr(3, 30) + "!");
  ASSERT_TRUE(copies.forbidden);
  EXPECT_EQ(copies.forbidden->package, "bound");
  EXPECT_EQ(copies.forbidden->tokens, 30u);
  const Copies shorter = find("y = 2; " + kBound.substr(3, 29) + "!");
  EXPECT_FALSE(shorter.forbidden);
  ASSERT_TRUE(shorter.longest);
  EXPECT_EQ(shorter.longest->tokens, 29u);
  EXPECT_TRUE(find("x = 'a text of nobody knows whom").forbidden);
}

TEST_F(CopiesTest, ShortOrForeignTextIsNobodys) {
  EXPECT_FALSE(find("def f").longest);
  EXPECT_FALSE(find("").longest);
  EXPECT_FALSE(find("QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ").longest);
}

TEST_F(CopiesTest, WhatMayNotBeCopiedIsNotOfferedAndTheSourceIsNamed) {
  const Language& python = language_for("python", "");
  const CursorPlace place = make_place("", 0, python);
  const StopRules rules = choose_stop_rules(place, Trigger::kInvoked, 12);
  std::vector<GenerationResult> results(2);
  results[0].text = kBound;
  results[1].text = kFree;
  for (GenerationResult& result : results) result.reason = FinishReason::kStopToken;
  const RankContext context{.place = place, .rules = rules, .tokenizer = tokenizer_, .environment = index_.get()};
  const Ranked ranked = rank_candidates(results, context);
  ASSERT_EQ(ranked.items.size(), 1u);
  EXPECT_NE(ranked.items[0].text.find("free"), std::string::npos);
  ASSERT_EQ(ranked.traces.size(), 2u);
  EXPECT_EQ(ranked.traces[0].reason, "copied without a permissive licence");
  ASSERT_FALSE(ranked.traces[0].steps.empty());
  EXPECT_EQ(ranked.traces[0].steps.back().filter, "licence");
  ASSERT_TRUE(ranked.traces[0].source);
  EXPECT_EQ(ranked.traces[0].source->package, "bound");
  ASSERT_TRUE(ranked.traces[1].source);
  EXPECT_EQ(ranked.traces[1].source->package, "free");
  const Ranked without = rank_candidates(results, {.place = place, .rules = rules, .tokenizer = tokenizer_});
  EXPECT_EQ(without.items.size(), 2u);
}

}  // namespace
}  // namespace weft::generation
