// Warnings as values: what an edit leaves of them, and how they are written.
#include "lsp/bug_warnings.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

using adapters::Bug;
using adapters::TextEdit;
using generation::ByteRange;

Bug bug_at(const std::string& text, const std::string& line) {
  const std::size_t begin = text.find(line);
  const ByteRange range{begin, begin + line.size()};
  return {range, 0.9, TextEdit{range, "fixed"}};
}

// What is left of a warning about "bug()" in `before`: "gone", or "same" or "moved" and the text it stands on.
std::string left(const std::string& before, const std::string& after) {
  const CarriedOver out = carry_over({bug_at(before, "bug()")}, before, after);
  if (out.bugs.empty()) return out.look_different ? "gone" : "gone and nobody was told";
  const Bug& bug = out.bugs[0];
  EXPECT_EQ(bug.fix->range, bug.line);
  return (out.look_different ? "moved " : "same ") + after.substr(bug.line.begin, bug.line.end - bug.line.begin);
}

TEST(Difference, IsTheOneStretchBetweenWhatIsCommon) {
  const auto check = [](std::string_view before, std::string_view after, ByteRange a, ByteRange b) {
    const Difference found = difference(before, after);
    EXPECT_EQ(found.before, a) << before;
    EXPECT_EQ(found.after, b) << after;
  };
  check("abc", "abc", {3, 3}, {3, 3});
  check("abc", "axc", {1, 2}, {1, 2});
  check("abc", "ac", {1, 2}, {1, 1});
  check("", "x", {0, 0}, {0, 1});
  check("x", "", {0, 1}, {0, 0});
  check("aa", "aaa", {2, 2}, {2, 3});  // common text is not counted twice
  check("aaa", "aa", {2, 3}, {2, 2});
}

TEST(Difference, ReplacingItMakesTheOtherText) {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string out(random() % 12, 'a');
    for (char& c : out) c = "ab\n"[random() % 3];
    return out;
  };
  for (int i = 0; i < 5000; ++i) {
    const std::string before = text(), after = text();
    const Difference edit = difference(before, after);
    std::string made = before;
    made.replace(edit.before.begin, edit.before.end - edit.before.begin,
                 after.substr(edit.after.begin, edit.after.end - edit.after.begin));
    ASSERT_EQ(made, after) << before;
  }
}

TEST(CarryOver, LinesThatStandAsTheyWereKeepTheirWarnings) {
  const std::string text = "a = 1\n    bug()\nb = 2\n";
  EXPECT_EQ(left(text, text), "same bug()");
  EXPECT_EQ(left(text, "aaa = 1\n    bug()\nb = 2\n"), "same bug()");
  EXPECT_EQ(left(text, "a = 1\n    bug()\nb = 2\nc = 3\n"), "same bug()");
  EXPECT_EQ(left(text, "a = 1\nnew()\n    bug()\nb = 2\n"), "moved bug()");
  EXPECT_EQ(left(text, "    bug()\nb = 2\n"), "moved bug()");
  EXPECT_EQ(left(text, "a = 1\n\n    bug()\nb = 2\n"), "moved bug()");
  EXPECT_EQ(left(text, "a = 1\n        bug()\nb = 2\n"), "moved bug()") << "indented deeper";
  EXPECT_EQ(left(text, "a = 1\n    bug()\n\nb = 2\n"), "same bug()");
  EXPECT_EQ(left(text, "a = 1\n    bug()  \nb = 2\n"), "same bug()") << "blanks at the end";
}

TEST(CarryOver, LinesThatAreTouchedLoseTheirs) {
  const std::string text = "a = 1\n    bug()\nb = 2\n";
  EXPECT_EQ(left(text, "a = 1\n    bug(x)\nb = 2\n"), "gone");
  EXPECT_EQ(left(text, "a = 1\n    bug() + 1\nb = 2\n"), "gone") << "typed behind it";
  EXPECT_EQ(left(text, "a = 1\n    x = bug()\nb = 2\n"), "gone") << "typed before it";
  EXPECT_EQ(left(text, "a = 1\n    # bug()\nb = 2\n"), "gone");
  EXPECT_EQ(left(text, "a = 1\nb = 2\n"), "gone");
  EXPECT_EQ(left(text, "a = 1; bug()\nb = 2\n"), "gone");
  EXPECT_EQ(left(text, "a = 1\n    bug()b = 2\n"), "gone") << "joined with the next";
  EXPECT_EQ(left(text, ""), "gone");
}

TEST(CarryOver, WorksWithCarriageReturns) {
  EXPECT_EQ(left("a\r\n  bug()\r\n", "a\r\nb\r\n  bug()\r\n"), "moved bug()");
  EXPECT_EQ(left("a\r\n  bug()\r\n", "ab\r\n  bug()\r\n"), "same bug()");
}

// Whatever is edited: a warning that is kept stands on the very line it was about.
TEST(CarryOver, NeverPointsToAnotherLine) {
  std::mt19937 random(20);
  const std::string pieces[] = {"bug()", "\n", "    ", "x", "bug", "()", "\r\n", "é"};
  int kept = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string before = "x\n    bug()\ny\nbug()\n";
    const CarriedOver first = carry_over({bug_at(before, "bug()")}, before, before);
    std::string after = before;
    const std::size_t begin = random() % (after.size() + 1), end = begin + random() % (after.size() - begin + 1);
    after.replace(begin, std::min<std::size_t>(end - begin, random() % 6), pieces[random() % 8]);
    for (const Bug& bug : carry_over(first.bugs, before, after).bugs) {
      ++kept;
      ASSERT_EQ(after.substr(bug.line.begin, bug.line.end - bug.line.begin), "bug()") << after;
      const std::size_t line = after.find_last_of("\r\n", bug.line.begin - 1);
      const std::string indentation = after.substr(line + 1, bug.line.begin - line - 1);
      ASSERT_EQ(indentation.find_first_not_of(' '), std::string::npos) << after;
    }
  }
  EXPECT_GT(kept, 5000);
}

class Plan : public ::testing::Test {
 protected:
  // The names of the functions that are looked at again; "-": none.
  std::string again(std::optional<std::string_view> before, std::string_view now) const {
    const auto plan = plan_check(*generation::find_language("python", "a.py"), before, now);
    if (!plan) return plan.error().message;
    if (!*plan) return "-";
    std::string out;
    for (const ByteRange& range : (*plan)->checked) {
      const std::string_view text = now.substr(range.begin, range.end - range.begin);
      const std::size_t name = text.find("def ") + 4;
      out += text.substr(name, 1);
      EXPECT_LT((*plan)->changed.begin, range.end);
      EXPECT_GT((*plan)->changed.end, range.begin);
    }
    return out;
  }
  const std::string text = "def a():\n    return 1\n\n\ndef b():\n    return 2\n\n\ndef c():\n    return 3\n";
};

TEST_F(Plan, TheFirstTimeIsEverything) {
  const auto plan = plan_check(*generation::find_language("python", "a.py"), std::nullopt, text);
  ASSERT_TRUE(plan && *plan);
  EXPECT_EQ((*plan)->changed, ByteRange{});
  EXPECT_EQ((*plan)->checked, (std::vector<ByteRange>{{0, text.size()}}));
  EXPECT_EQ(again(std::nullopt, ""), "-");
}

TEST_F(Plan, LaterThoseThatChanged) {
  std::string now = text;
  now.replace(now.find('2'), 1, "22");
  EXPECT_EQ(again(text, now), "b");
  EXPECT_EQ(again(now, text), "b") << "what was taken away";
  now.replace(now.find('3'), 1, "33");
  EXPECT_EQ(again(text, now), "bc");
  EXPECT_EQ(again(text, text), "-");
}

TEST_F(Plan, TextBetweenThemIsNoneOfThem) {
  std::string now = text;
  now.insert(now.find("def b") - 1, "x = 1\n");
  EXPECT_EQ(again(text, now), "-");
}

TEST_F(Plan, NewOnesAreLookedAt) { EXPECT_EQ(again(text, text + "\n\ndef d():\n    return 4\n"), "d"); }

TEST(DiagnosticJson, LongFixesAreCutInTheMessageAlone) {
  const std::string text = "x = f(1)\n";
  Bug bug{{0, 8}, 0.5, TextEdit{{0, 8}, "x = '" + std::string(200, 'e') + "'"}};
  Json json = diagnostic_json(bug, text, PositionEncoding::kUtf8);
  EXPECT_LT(json.at("message").get<std::string>().size(), 180U);
  EXPECT_NE(json.at("message").get<std::string>().find(" …`"), std::string::npos);
  EXPECT_EQ(json.at("data").at("fix").at("newText"), bug.fix->text);
  bug.fix->text = "y = 1\nx = f(y)";
  json = diagnostic_json(bug, text, PositionEncoding::kUtf8);
  EXPECT_EQ(json.at("message"), "Possible bug: should this be `y = 1 …`?");
  bug.fix->text = std::string(119, 'x') + "ééé";  // a cut between characters
  json = diagnostic_json(bug, text, PositionEncoding::kUtf8);
  EXPECT_EQ(Json::parse(json.dump()), json) << "dump throws on broken UTF-8";
}

}  // namespace
}  // namespace weft::lsp
