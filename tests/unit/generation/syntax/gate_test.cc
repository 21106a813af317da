// What the gate lets through, what it cuts, and what it costs.
#include "generation/syntax/gate.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weft::generation {
namespace {

const Language& python() { return language_for("python", ""); }

SyntaxTree parsed(std::string_view text) {
  auto tree = SyntaxTree::parse(python(), text, {.limit_bytes = 4 << 20, .timeout_ms = 60'000});
  if (!tree) throw std::runtime_error(tree.error().message);
  return *std::move(tree);
}

std::string gated(std::string_view text, std::size_t cursor, std::string_view insertion) {
  auto gate = SyntaxGate::make(python(), text, cursor);
  if (!gate) throw std::runtime_error(gate.error().message);
  return std::string(insertion.substr(0, gate->longest_fit(insertion)));
}

// What is left of the insertion at the ^.
std::string gated(std::string_view annotated, std::string_view insertion) {
  const std::size_t cursor = annotated.find('^');
  std::string text(annotated);
  text.erase(cursor, 1);
  return gated(text, cursor, insertion);
}

void expect_whole(std::string_view annotated, std::string_view insertion) {
  EXPECT_EQ(gated(annotated, insertion), insertion) << annotated;
}

TEST(SyntaxGate, LetsThroughWhatCompletesTheStatement) {
  expect_whole("x = ^\n", "1");
  expect_whole("x = ^\ny = 2\n", "[a for a in b]");
  expect_whole("def f(a):\n    return ^\n\n\ny = f(1)\n", "a + 1");
  expect_whole("print(^)\n", "x, end=\"\"");
  expect_whole("if x ^:\n    pass\n", "== 3");
  expect_whole("ret = {'k': '^'}\n", "v");
  expect_whole("^", "import os");
}

TEST(SyntaxGate, ClosesWhatTheSuggestionOpened) {
  expect_whole("x = ^\n", "foo(1, [2");
  expect_whole("x = ^\n", "\"abc");
  expect_whole("def f():\n    ^\n", "\"\"\"Return the");
  expect_whole("^\nx = 1\n", "def f(a, b):");
  expect_whole("^\nx = 1\n", "def f(a, b)");
  expect_whole("def f():\n    ^\n", "for a in b:\n        if a:");
  expect_whole("def f():\n    ^\n\n\ndef g():\n    pass\n", "try:\n        x()");
  expect_whole("def f():\n    try:\n        ^\n    y = 1\n", "try:\n            x()");
  expect_whole("^\n\nx = 1\n", "@property");
  expect_whole("x = [\n    1,\n    ^\n]\n", "2,");
  expect_whole("foo(a, ^\ny = 1\n", "b");  // nobody has closed the call yet
  expect_whole("x = f(a,  # note\n      ^\n", "b");
}

TEST(SyntaxGate, CutsBackToTheLongestBeginningThatFits) {
  EXPECT_EQ(gated("x = ^\n", "foo bar"), "foo");
  EXPECT_EQ(gated("x = ^\n", "foo +"), "foo");
  EXPECT_EQ(gated("def f():\n    ^\n", "a = 1\n    b = 2 2\n    c = 3"), "a = 1\n    b = 2");
  EXPECT_EQ(gated("def f():\n    ^\n", "a = 1\n    ) = 2"), "a = 1");
  EXPECT_EQ(gated("def f():\n    return ^\n\nx = 1\n", "a if b else else"), "a if b");
}

TEST(SyntaxGate, LetsNothingThroughThatIsWrongFromItsBeginning) {
  EXPECT_EQ(gated("x = ^\n", "= 1"), "");
  EXPECT_EQ(gated("x = 1^\n", " 2"), "");
  EXPECT_EQ(gated("class ^:\n    pass\n", "1"), "");
}

// The line lacks much more than its end.
TEST(SyntaxGate, LetsNothingThroughThatNoEndMakesWhole) {
  EXPECT_EQ(gated("class A:\n    def hou^\n\n\nx = 1\n", "r when the"), "r");
  EXPECT_EQ(gated("def load_loop^\n", "(\n    \"LOGURU_FORMAT\","), "(");
  EXPECT_EQ(gated("imp^\n\n\ndef f():\n    pass\n", "ort contextvars import ContextVar"), "ort contextvars");
  EXPECT_EQ(gated("import os\nimport we^\n\nif not a:\n    pass\n", "akref.WeakSet()"), "akref.WeakSet");
  EXPECT_EQ(gated("if a:\n    if (b is None or\n        (not c^\n", "ur[-1]\n\n    if cur:"), "ur[-1]");
}

// The line that is missing opens the block that stands below.
TEST(SyntaxGate, LetsThroughWhatOpensTheBlockBelow) {
  expect_whole("def f():\n    ^\n        return 1\n    return 2\n", "if a:");
  expect_whole("def f():\n    ^\n        return 1\n    return 2\n", "if a");
  expect_whole("try:\n    a()\nexcept Excep^\n    pass\n", "tion");
  EXPECT_EQ(gated("def f():\n    ^\n        return 1\n", "return None"), "");
  EXPECT_EQ(gated("def f():\n    if fu^\n        def g():\n            pass\n", "llname: str"), "llname:");
  EXPECT_EQ(gated("try:\n    a()\nexcept Excep^\n    pass\n", "ting the record"), "ting");
}

TEST(SyntaxGate, DoesNotBlameTheSuggestionForWhatIsBrokenAlready) {
  expect_whole("x = = foo(^\n", "a)");
  expect_whole("def g(:\n    pass\n\n\nx = ^\n", "1");
  expect_whole("x = ^\n\n\ndef g(:\n    pass\n", "foo(1)");
  EXPECT_EQ(gated("x = ^\n\n\ndef g(:\n    pass\n", "foo bar"), "foo");
  expect_whole("def f():\n    try:\n        ^\n", "return 1");  // no except yet
  EXPECT_EQ(gated("def f():\n    try:\n        ^\n", "return 1 2"), "return 1");
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> python_files() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"/tests", "/cmake"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(WEFT_SOURCE_DIR) + folder)) {
      if (entry.path().extension() == ".py") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

// The author's own next lines, at places all over real files, with the line's rest taken out as it is while one writes.
TEST(SyntaxGate, LetsThroughWhatPeopleWrote) {
  std::size_t places = 0, cut = 0;
  for (const auto& path : python_files()) {
    const std::string text = file_text(path);
    const SyntaxTree whole = parsed(text);
    if (whole.errors_in({0, text.size()}) > 0) continue;
    std::uint64_t state = 7;
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t end = std::min(text.find('\n', begin), text.size());
      state = state * 6364136223846793005U + 1442695040888963407U;
      const std::size_t first = text.find_first_not_of(' ', begin);
      if (first < end && (state >> 60U) < 3) {
        const std::size_t place = first + (state >> 20U) % (end - first);
        std::string before = text;
        before.erase(place, end - place);
        const std::string_view written = std::string_view(text).substr(place, end - place);
        ++places;
        const std::size_t kept = gated(before, place, written).size();
        if (kept < written.size()) {
          ++cut;
          RecordProperty("cut" + std::to_string(cut), fmt::format("{}:{}: {}", path.string(), place, written));
        }
      }
      begin = end + 1;
    }
  }
  EXPECT_GT(places, 200U);
  EXPECT_LE(cut * 200, places) << cut << " of " << places;  // one in two hundred
}

TEST(SyntaxGate, ParsesABoundedNumberOfTimes) {
  const std::string text = "x = \n";
  auto gate = SyntaxGate::make(python(), text, 4, 20);
  ASSERT_TRUE(gate);
  std::string nonsense = "= ";
  for (int i = 0; i < 300; ++i) nonsense += "= ";
  EXPECT_EQ(gate->longest_fit(nonsense), 0U);
  EXPECT_LE(gate->parses(), 20U);
}

std::string window_at(std::string_view annotated, WindowBudget budget = {}) {
  const std::size_t cursor = annotated.find('^');
  std::string text(annotated);
  text.erase(cursor, 1);
  const CodeWindow window = window_around(python(), text, cursor, budget);
  const std::string_view code = window.text;
  return fmt::format("{}^{}", code.substr(0, window.cursor), code.substr(window.cursor));
}

TEST(CodeWindow, IsTheWholeOfASmallFile) {
  const std::string text = "import os\n\n\ndef f():\n    x = ^\n\n\ny = 1\n";
  EXPECT_EQ(window_at(text), text);
}

TEST(CodeWindow, BeginsWithAStatementAndEndsBeforeOne) {
  const std::string text =
      "class A:\n    def f(self):\n        x = (1,\ny)\n        if x:\n            y = ^\n        else:\n            "
      "pass\n";
  EXPECT_EQ(window_at(text, {40, 1000}), "if _:\n        if x:\n            y = ^\n        else:\n            pass\n");
  EXPECT_EQ(window_at("s = \"\"\"\nx = 1\n\"\"\"\ny = ^\n", {12, 10}), "y = ^\n");
  std::string many = "if a:\n    x = ^\n";
  for (int i = 0; i < 20; ++i) many += "    y = 1\n";
  EXPECT_EQ(window_at(many + "z = 2\n"), many);
}

TEST(SyntaxTree, EditedIsTheTreeOfTheNewText) {
  const std::string before = "def f(a):\n    return a\n\n\ny = f(1)\n";
  const std::string after = "def f(a):\n    é = [a]\n    return a + (\n\n\ny = f(1)\n";
  const SyntaxTree tree = parsed(before);
  const std::size_t begin = before.find("return");
  const std::size_t same = before.size() - before.find("\n\n\ny");
  const auto edited = tree.edited(before, after, {begin, before.size() - same, after.size() - same});
  ASSERT_TRUE(edited);
  const SyntaxTree fresh = parsed(after);
  EXPECT_EQ(edited->errors_in({0, after.size()}), fresh.errors_in({0, after.size()}));
  EXPECT_EQ(edited->enclosing_block(after.find('[')), fresh.enclosing_block(after.find('[')));
  EXPECT_EQ(tree.errors_in({0, before.size()}), 0U);
}

}  // namespace
}  // namespace weft::generation
