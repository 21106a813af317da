#include "generation/memory/environment_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "generation/memory/environment_builder.h"
#include "tests/unit/generation/memory/letters.h"

namespace weft::generation {
namespace {

namespace fs = std::filesystem;

class EnvironmentIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("environment_index_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return (folder_ / "a.index").string(); }
  void build(const std::vector<std::string>& texts) const {
    auto builder = EnvironmentBuilder::create(path(), 8);
    ASSERT_TRUE(builder) << builder.error().message;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      ASSERT_TRUE(builder->add({name, "1." + std::to_string(i), "MIT"}, name + "/x.py", letters(texts[i])));
    }
    const auto finished = builder->finish(7, {});
    ASSERT_TRUE(finished) << finished.error().message;
  }
  [[nodiscard]] std::shared_ptr<const EnvironmentIndex> open(AskMemory ask = claim_memory) const {
    auto index = EnvironmentIndex::open(path(), 7, std::move(ask));
    EXPECT_TRUE(index) << index.error().message;
    return index ? *index : nullptr;
  }
  [[nodiscard]] std::string error_of(std::uint64_t key = 7) const {
    const auto index = EnvironmentIndex::open(path(), key);
    return index ? "none" : index.error().message;
  }

  fs::path folder_;
};

TEST_F(EnvironmentIndexTest, SaysWhatFollowedTheLongestMatchMostFrequentFirst) {
  build({"self.x = self.y; self.x"});
  const auto index = open();
  EXPECT_EQ(said(index->longest_match(letters("= self."))), "7: y1");
  EXPECT_EQ(said(index->longest_match(letters("(self."))), "5: x2 y1");
  EXPECT_EQ(said(index->longest_match(letters("?"))), "0:");
  EXPECT_EQ(said(index->longest_match({})), "0:");
  EXPECT_EQ(index->tokens(), 25u);  // an end before the text and one behind it
}

TEST_F(EnvironmentIndexTest, NoMatchRunsAcrossTwoTexts) {
  build({"ab", "cd", "xbc"});
  const auto index = open();
  EXPECT_EQ(said(index->longest_match(letters("abc"))), "1: d1");
  EXPECT_EQ(said(index->longest_match(letters("ab"))), "1: c1");  // behind "ab" there is nothing
  EXPECT_EQ(said(index->longest_match(letters("d"))), "0:");
}

TEST_F(EnvironmentIndexTest, NamesTheFilesOfAMatch) {
  build({"one two", "two three", "one two"});
  const auto index = open();
  const auto found = index->files_with(letters("one tw"));
  EXPECT_EQ(found.length, 6u);
  ASSERT_EQ(found.files.size(), 2u);
  EXPECT_NE(found.files[0]->path, found.files[1]->path);
  const auto third = index->files_with(letters("two thre"));
  ASSERT_EQ(third.files.size(), 1u);
  EXPECT_EQ(third.files[0]->path, "b/x.py");
  EXPECT_EQ(index->package_of(*third.files[0]).version, "1.1");
  EXPECT_TRUE(index->files_with(letters("?")).files.empty());
}

TEST_F(EnvironmentIndexTest, WhereItWouldHaveToWaitItSaysNothingAndNotesWhatItMissed) {
  build({"self.x = self.y; self.x"});
  const auto index = open([](auto, std::span<unsigned char> answers) { std::ranges::fill(answers, 0); });
  EXPECT_EQ(said(index->longest_match(letters("(self."))), "0:");
  EXPECT_EQ(index->files_with(letters("(self.")).length, 0u);
  const auto missed = index->take_missed();
  ASSERT_FALSE(missed.empty());
  for (const auto part : missed) index->fetch(part);
  EXPECT_TRUE(index->take_missed().empty());
}

TEST_F(EnvironmentIndexTest, WhatHasJustBeenReadIsInMemory) {
  build({"self.x = self.y; self.x"});
  const auto index = open(ask_memory);
  index->fetch(index->bytes());
  EXPECT_EQ(said(index->longest_match(letters("(self."))), "5: x2 y1");
}

TEST_F(EnvironmentIndexTest, RefusesWhatIsCutShortDamagedOrMadeOfSomethingElse) {
  build({"self.x = self.y; self.x"});
  EXPECT_EQ(error_of(), "none");
  EXPECT_NE(error_of(8).find("something else"), std::string::npos);
  const auto whole = [this] {
    std::ifstream file(path(), std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }();
  const auto write = [this](const std::string& bytes) { std::ofstream(path(), std::ios::binary) << bytes; };
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{4096}, whole.size() - 1}) {
    write(whole.substr(0, size));
    EXPECT_NE(error_of(), "none") << size;
  }
  for (const std::size_t at : {std::size_t{9}, std::size_t{20}, whole.size() - 30}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write(damaged);
    EXPECT_NE(error_of(), "none") << at;
  }
  write(whole);
  EXPECT_EQ(error_of(), "none");
}

TEST_F(EnvironmentIndexTest, BelongsToItsOwnerAndLeavesNothingElseBehind) {
  build({"ab"});
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(EnvironmentIndexTest, MayBeEmpty) {
  build({});
  EXPECT_EQ(said(open()->longest_match(letters("a"))), "0:");
}

}  // namespace
}  // namespace weft::generation
