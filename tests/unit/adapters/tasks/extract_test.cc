#include "adapters/tasks/extract.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "adapters/tasks/inspect.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Extract : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("extract_") + test->name());
    fs::remove_all(root_);
    fs::create_directories(root_ / "code");
    options_.sources = {(root_ / "code").string()};
    options_.task = "bug-detection";
    options_.out = (root_ / "out.jsonl").string();
    options_.collect.assumed_licence = "MIT";
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ / "code" / name) << text; }
  void write_functions() const {
    write("good.py",
          "def total(items, limit):\n    result = 0\n    for item in items:\n        if item > limit:\n            "
          "continue\n"
          "        result += item\n    return result\n\n\ndef mean(items, start):\n    count = len(items)\n    return "
          "start + "
          "sum(items) / count\n");
  }
  Expected<ExtractReport> run(const CancelFlag& cancel = {}) const {
    return extract(
        options_, [](std::size_t, std::size_t) {}, cancel);
  }

  fs::path root_;
  ExtractOptions options_;
};

TEST_F(Extract, WritesExamplesAndCountsThem) {
  write_functions();
  write("plain.py", "NAME = 'there is no function in here'\nOTHER = 'nor is there one in here, at all'\n");
  write(".env.py", "x = 1\n");
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->examples, 4U);
  EXPECT_EQ(report->labels.at("clean"), 2U);
  EXPECT_EQ(report->dropped.at("nothing to learn from"), 1U);
  const auto examples = read_examples(options_.out);
  ASSERT_TRUE(examples);
  ASSERT_EQ(examples->size(), 4U);
  EXPECT_EQ((*examples)[0].pair, (*examples)[1].pair);
  EXPECT_NE((*examples)[1].pair, (*examples)[2].pair);
  EXPECT_EQ(nlohmann::json::parse(to_json(*report))["labels"]["clean"], 2);

  const auto inspected = inspect({options_.out, 2});
  ASSERT_TRUE(inspected);
  EXPECT_EQ(inspected->counts.at("examples"), 4U);
  EXPECT_EQ(inspected->counts.at("pairs"), 2U);
  EXPECT_EQ(inspected->labels.at("clean"), 2U);
  ASSERT_EQ(inspected->samples.size(), 2U);
  EXPECT_THAT(inspected->samples[0], HasSubstr((*examples)[0].answer));
}

TEST_F(Extract, StopsAtTheLimitAndDependsOnTheSeed) {
  write_functions();
  options_.limit = 3;
  EXPECT_EQ(run()->examples, 3U);
  const auto first = read_examples(options_.out);
  ASSERT_TRUE(run());
  EXPECT_EQ((*read_examples(options_.out))[0].prompt, (*first)[0].prompt);
  options_.limit = 0;
  bool differs = false;
  for (options_.seed = 2; options_.seed < 6; ++options_.seed) {
    ASSERT_TRUE(run());
    differs = differs || (*read_examples(options_.out))[0].prompt != (*first)[0].prompt;
  }
  EXPECT_TRUE(differs);
}

TEST_F(Extract, MasksWhatLooksLikeAKey) {
  write("keys.py",
        "def connect(client, retries):\n    token = \"ghp_0123456789abcdefghijABCDEFGHIJ456789\"\n    return "
        "client.open(token, "
        "retries)\n");
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GE(report->masked, 1U);
  const auto examples = read_examples(options_.out);
  ASSERT_TRUE(examples);
  for (const auto& example : *examples) {
    EXPECT_EQ(example.prompt.find("ghp_0123456789"), std::string::npos);
  }
}

TEST_F(Extract, SaysWhyThereIsNothing) {
  write("plain.py", "NAME = 'there is no function in here'\nOTHER = 'nor is there one in here, at all'\n");
  const auto none = run();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("1 nothing to learn from"));
  options_.task = "bugs";
  EXPECT_THAT(run().error().message, HasSubstr("bug-detection, refactor"));
  EXPECT_FALSE(fs::exists(options_.out));
}

TEST_F(Extract, LeavesNoFileWhenCancelled) {
  write_functions();
  CancelFlag cancel;
  cancel.cancel();
  EXPECT_EQ(run(cancel).error().message, "cancelled");
  EXPECT_FALSE(fs::exists(options_.out));
}

TEST(ExampleLines, ComeBackAsTheyWere) {
  const TaskExample example{"def f():\n\t\"一\"\n", "bug\n- a", "wrong-number", 12};
  const auto back = parse_json_line(to_json_line(example));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->prompt, example.prompt);
  EXPECT_EQ(back->answer, example.answer);
  EXPECT_EQ(back->pair, 12);
  for (const std::string line :
       {"", "[]", "{\"prompt\": \"a\"}", "{\"prompt\":1,\"answer\":\"\",\"label\":\"\"}", "{"}) {
    EXPECT_FALSE(parse_json_line(line)) << line;
  }
}

}  // namespace
}  // namespace weft::adapters
