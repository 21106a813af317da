#include "adapters/tasks/task_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/fake_task.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TaskDataTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("weft_task_data_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.folders = {folder_.string()};
    options_.collect.any_licence = true;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Files of four functions whose names are made of `word`.
  void write(const std::string& name, const std::string& word) const {
    std::ofstream out(folder_ / name);
    for (const std::string tail : {"first", "second", "third", "fourth"}) {
      out << "def " << word << "_" << tail << "(" << word << "):\n    return " << word << " + " << word << tail
          << "\n\n";
    }
  }
  void write_ten() const {
    for (const std::string word :
         {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"}) {
      write(word + ".py", word);
    }
  }
  [[nodiscard]] TaskData read(const Task& task = test::fake_detection()) const {
    const auto data = read_task_data(task, tokenizer_, options_, {}, {});
    EXPECT_TRUE(data) << data.error().message;
    return data ? *data : TaskData{};
  }
  static std::string word_of(const TokenExample& example) {
    return example.text.prompt.substr(4, example.text.prompt.find('_') - 4);
  }

  fs::path folder_;
  TaskDataOptions options_;
  test::ByteTokenizer tokenizer_;
};

TEST_F(TaskDataTest, AFileIsEitherTrainedOnOrHeldOut) {
  write_ten();
  options_.held_out_share = 0.3;
  const TaskData data = read();
  EXPECT_EQ(data.files, 10U);
  EXPECT_EQ(data.held_out_files, 3U);
  EXPECT_EQ(data.train_files, 7U);
  EXPECT_EQ(data.held_out.size(), 3U * 8);
  EXPECT_EQ(data.train.size(), 7U * 8);
  std::set<std::string> held_out, train;
  for (const TokenExample& example : data.held_out) held_out.insert(word_of(example));
  for (const TokenExample& example : data.train) train.insert(word_of(example));
  EXPECT_EQ(held_out.size(), 3U);
  for (const std::string& word : held_out) EXPECT_FALSE(train.contains(word)) << word;
}

TEST_F(TaskDataTest, TwinsShareANumberThatNoOthersHave) {
  write_ten();
  options_.max_held_out = 5;  // an odd number: the last twin would be alone
  const TaskData data = read();
  EXPECT_EQ(data.held_out.size(), 4U);
  std::map<std::int64_t, std::vector<std::string>> pairs;
  for (const auto* examples : {&data.held_out, &data.train}) {
    for (const TokenExample& example : *examples) pairs[example.text.pair].push_back(example.text.label);
  }
  for (const auto& [number, labels] : pairs) {
    EXPECT_THAT(labels, testing::UnorderedElementsAre("clean", "semicolon")) << number;
  }
}

TEST_F(TaskDataTest, ExamplesArePromptAnswerAndEnd) {
  write("alpha.py", "alpha");
  options_.held_out_share = 1;
  const TaskData data = read(test::fake_rewriting());
  ASSERT_EQ(data.held_out.size(), 4U);
  const TokenExample& example = data.held_out[0];
  EXPECT_EQ(tokenizer_.decode(example.prompt), "def alpha_first(alpha):\n# ");
  EXPECT_EQ(tokenizer_.decode(example.answer), "ALPHA_FIRST");
  EXPECT_EQ(example.answer.back(), *tokenizer_.control("<|endoftext|>"));
}

TEST_F(TaskDataTest, AVerdictCountsForMoreThanOneToken) {
  write_ten();
  for (const TokenExample& example : read().train) EXPECT_GT(example.first_counts, 1U);
  for (const TokenExample& example : read(test::fake_rewriting()).train) EXPECT_EQ(example.first_counts, 1U);
}

TEST_F(TaskDataTest, WhatIsTooLongIsDroppedWithItsTwinAndCounted) {
  write("alpha.py", "alpha");
  std::ofstream(folder_ / "long.py") << "def " << std::string(80, 'x') << "(a):\n    return a_long_name_and_more(a)\n";
  options_.held_out_share = 1;
  const TaskData data = read();
  EXPECT_EQ(data.held_out.size(), 8U);
  EXPECT_EQ(data.dropped_examples.at("prompt longer than 64 tokens"), 2U);
  EXPECT_THAT(describe(data), HasSubstr("long.py: all its examples are too long"));
}

TEST_F(TaskDataTest, TheSameFoldersGiveTheSameExamplesAndAnotherSeedAnotherSplit) {
  write_ten();
  const auto words = [&] {
    std::string out;
    for (const TokenExample& example : read().held_out) out += word_of(example) + " ";
    return out;
  };
  const std::string first = words();
  EXPECT_EQ(words(), first);
  std::set<std::string> others;
  for (options_.seed = 2; options_.seed < 8; ++options_.seed) others.insert(words());
  EXPECT_GT(others.size(), 1U);
}

TEST_F(TaskDataTest, SecretsNeverBecomeExamples) {
  write("alpha.py", "alpha");
  write(".env.py", "secret");
  std::ofstream(folder_ / "key.py")
      << "def load(path):\n    return open(path).read()\n\nAWS_KEY = 'AKIAQWERTYUIOPASDFGH'\n";
  options_.held_out_share = 1;
  const TaskData data = read();
  EXPECT_EQ(data.masked, 1U);
  EXPECT_THAT(describe(data), HasSubstr(".env.py: secret file"));
  for (const TokenExample& example : data.held_out) EXPECT_NE(word_of(example), "secret");
}

TEST_F(TaskDataTest, OneFileAloneIsTrainedOnAndAnAbsentFolderIsAnError) {
  write("alpha.py", "alpha");
  EXPECT_EQ(read().train.size(), 8U);
  EXPECT_EQ(read().held_out.size(), 0U);
  options_.folders = {(folder_ / "absent").string()};
  const auto data = read_task_data(test::fake_detection(), tokenizer_, options_, {}, {});
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().message, HasSubstr("absent"));
}

}  // namespace
}  // namespace weft::adapters
