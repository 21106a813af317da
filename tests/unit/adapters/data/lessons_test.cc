#include "adapters/data/lessons.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "adapters/data/collect.h"
#include "generation/syntax/functions.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

std::vector<Lesson> lessons(std::size_t count, std::vector<std::string> held_out = {}) {
  return make_lessons({.seed = 5, .count = count, .held_out = std::move(held_out)});
}

TEST(Lessons, TeachEverythingInBothLanguages) {
  std::map<std::string, std::set<std::string>> languages;
  for (const Lesson& lesson : lessons(6000)) languages[lesson.concept_name].insert(lesson.language);
  for (const std::string& name : lesson_concepts()) EXPECT_EQ(languages[name].size(), 2U) << name;
  EXPECT_GE(lesson_concepts().size(), 120U);
}

TEST(Lessons, AreDocumentedFunctionsUnderAComment) {
  const auto& python = generation::language_for("python", "");
  std::set<std::string> codes;
  for (const Lesson& lesson : lessons(3000)) {
    EXPECT_TRUE(codes.insert(lesson.code).second) << lesson.code;
    const auto tree = generation::SyntaxTree::parse(python, lesson.code);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->errors_in({0, lesson.code.size()}), 0U) << lesson.code;
    const auto functions = functions_of(python, *tree, lesson.code);
    ASSERT_EQ(functions.size(), 1U) << lesson.code;
    EXPECT_TRUE(functions[0].docstring) << lesson.code;
    EXPECT_TRUE(lesson.code.starts_with("# ")) << lesson.code;
    const std::string said = lesson.code.substr(0, functions[0].signature.begin);
    EXPECT_EQ(said.find_first_of("[]|~{}^$"), std::string::npos) << said;
    EXPECT_EQ(lesson.code.find('$'), std::string::npos) << lesson.code;
    const bool has_chinese = std::regex_search(said, std::regex("[\xe4-\xe9][\x80-\xbf][\x80-\xbf]"));
    EXPECT_EQ(has_chinese, lesson.language == "zh") << said;
  }
}

TEST(Lessons, HoldOutWhatIsAskedFor) {
  const std::regex product("return ([a-z]\\w*) \\* ([a-z]\\w*) \\* ([a-z]\\w*)$|= \\w+ \\* \\w+ \\* \\w+$",
                           std::regex::multiline);
  const std::regex difference("(return|=) [a-z]\\w* - [a-z]\\w*$", std::regex::multiline);
  std::set<std::string> taught;
  for (const Lesson& lesson : lessons(6000, {"product:3", "difference:2"})) {
    taught.insert(lesson.concept_name);
    EXPECT_FALSE(std::regex_search(lesson.code, product)) << lesson.code;
    EXPECT_FALSE(std::regex_search(lesson.code, difference)) << lesson.code;
  }
  for (const std::string name : {"product:3", "difference:2"}) EXPECT_FALSE(taught.contains(name));
  for (const std::string name : {"sum:2", "product:2", "sum:3", "difference:3", "product:4"}) {
    EXPECT_TRUE(taught.contains(name)) << name;
  }
  // Both would be seen.
  const auto all = lessons(6000);
  for (const std::regex& shape : {product, difference}) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](const Lesson& lesson) { return std::regex_search(lesson.code, shape); }));
  }
}

TEST(Lessons, AreAskedForAsPeopleDo) {
  auto others = lesson_concepts();
  std::erase(others, "sum:2");
  std::set<std::string> wishes;
  for (const Lesson& lesson : lessons(10000, others)) wishes.insert(lesson.code.substr(2, lesson.code.find('\n') - 2));
  EXPECT_TRUE(wishes.contains("一个计算两个数之和的Python函数"));
  EXPECT_TRUE(wishes.contains("a Python function that computes the sum of two numbers"));
  EXPECT_TRUE(wishes.contains("Add two numbers"));
}

TEST(Lessons, AreOftenerAboutFewNumbers) {
  std::map<std::string, int> count;
  for (const Lesson& lesson : lessons(4000)) ++count[lesson.concept_name];
  EXPECT_GT(count["sum:2"], 2 * count["sum:5"]);
}

TEST(Lessons, AreTheSameForTheSameSeed) {
  const auto one = make_lessons({.seed = 1, .count = 50}), same = make_lessons({.seed = 1, .count = 50});
  const auto other = make_lessons({.seed = 2, .count = 50});
  ASSERT_EQ(one.size(), 50U);
  EXPECT_EQ(one[49].code, same[49].code);
  EXPECT_NE(one[49].code, other[49].code);
}

TEST(Lessons, RefuseToHoldOutWhatTheyDoNotTeach) {
  EXPECT_EQ(*parse_held_out("product:3,difference:2"), (std::vector<std::string>{"product:3", "difference:2"}));
  EXPECT_TRUE(parse_held_out("")->empty());
  const auto wrong = parse_held_out("product:3,product:9");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("product:9"), std::string::npos);
  EXPECT_NE(wrong.error().message.find("product:5"), std::string::npos);
}

class LessonFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / "lesson_files";
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(LessonFiles, AreTrainingDataForTheCollector) {
  const auto report = write_lessons({.seed = 1, .count = 600}, folder_.string(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lessons, 600U);
  Collector collector({}, {}, [](std::size_t, std::size_t) {});
  const auto collected = collector.collect(folder_.string(), Part::kTrain);
  ASSERT_TRUE(collected);
  EXPECT_GE(collected->documents.size(), report->files * 9 / 10);
  // A second run leaves nothing of the first.
  const auto second = write_lessons({.seed = 1, .count = 6}, folder_.string(), {});
  ASSERT_TRUE(second);
  const auto entries = std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  EXPECT_EQ(entries, static_cast<std::ptrdiff_t>(second->files) + 1);
}

TEST_F(LessonFiles, AreNotLeftByARunThatIsCancelled) {
  CancelFlag cancel;
  cancel.cancel();
  const auto report = write_lessons({.seed = 1, .count = 60}, folder_.string(), cancel);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "cancelled");
  EXPECT_TRUE(fs::is_empty(folder_));
}

// Every concept in every form that comes up, run by Python itself.
TEST_F(LessonFiles, RunCorrectly) {
  ASSERT_EQ(std::system("python3 -c pass"), 0) << "python3 is needed, as by the end-to-end tests";
  fs::create_directories(folder_);
  {
    std::ofstream script(folder_ / "check.py");
    script << "failed = 0\ndef check(code, test):\n    global failed\n    scope = {}\n    try:\n        exec(code, "
              "scope)\n"
              "        right = eval(test, scope)\n    except Exception as problem:\n        right = False\n"
              "        print(problem)\n    if not right:\n        failed += 1\n        print(code, test, sep='\\n')\n";
    for (const Lesson& lesson : lessons(4000)) {
      script << "check(r'''" << lesson.code << "\n''', r'''" << lesson.check << "\n''')\n";
    }
    script << "raise SystemExit(1 if failed else 0)\n";
  }
  EXPECT_EQ(std::system(("python3 " + (folder_ / "check.py").string()).c_str()), 0);
}

}  // namespace
}  // namespace weft::adapters
