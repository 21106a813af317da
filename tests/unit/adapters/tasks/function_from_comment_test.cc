#include "adapters/tasks/function_from_comment.h"

#include <string>

#include <gtest/gtest.h>

#include "adapters/tasks/descriptions.h"

namespace weft::adapters {
namespace {

const generation::Language& python() { return generation::language_for("python", ""); }

// `|` marks the cursor.
std::optional<FunctionRequestPlace> find(std::string text, std::string* document = nullptr) {
  const std::size_t cursor = text.find('|');
  text.erase(cursor, 1);
  if (document != nullptr) *document = text;
  return find_function_request(python(), text, cursor);
}

std::string edited(const std::string& document, const FunctionRequestPlace& place, const std::string& answer) {
  const ParsedFunction parsed = parse_function_answer(python(), place, answer);
  EXPECT_TRUE(parsed.parses) << parsed.code;
  return document.substr(0, place.replaced.begin) + parsed.code + document.substr(place.replaced.end);
}

TEST(FunctionPlace, CommentWithTheCursorOnIt) {
  std::string document;
  const auto place = find("import os\n\n# Adds two| numbers\n# and returns them.\n\nx = 1\n", &document);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->description, "Adds two numbers\nand returns them.");
  EXPECT_EQ(place->signature, "");
  EXPECT_EQ(place->title, "Generate function from comment");
  EXPECT_EQ(function_prompt(*place), "import os\n\n\n# Adds two numbers\n# and returns them.\n");
  EXPECT_EQ(edited(document, *place, "def add(a, b):\n    return a + b\n\n\ndef more():\n    pass\n"),
            "import os\n\n# Adds two numbers\n# and returns them.\ndef add(a, b):\n    return a + b\n\nx = 1\n");
}

TEST(FunctionPlace, CommentAboveTheCursorAtTheEnd) {
  std::string document;
  for (const std::string end : {"|", "\n|", "\n\n|"}) {
    const auto place = find("# 一个计算两个数之和的Python函数" + end, &document);
    ASSERT_TRUE(place) << end;
    EXPECT_EQ(place->description, "一个计算两个数之和的Python函数");
    EXPECT_EQ(edited(document, *place, "def add(a, b):\n    return a + b"),
              "# 一个计算两个数之和的Python函数\ndef add(a, b):\n    return a + b");
  }
}

TEST(FunctionPlace, CommentInAClass) {
  std::string document;
  const auto place = find("class A:\n    x = 1\n\n    # Says how large it is\n|\n", &document);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->indentation, 4U);
  EXPECT_EQ(function_prompt(*place), "class A:\n    x = 1\n\n    # Says how large it is\n");
  const std::string wanted =
      "class A:\n    x = 1\n\n    # Says how large it is\n    def size(self):\n        return self.x\n";
  EXPECT_EQ(edited(document, *place, "    def size(self):\n        return self.x\n\nclass B:\n    pass\n"), wanted);
  EXPECT_EQ(edited(document, *place, "def size(self):\n    return self.x\n"), wanted);
}

TEST(FunctionPlace, BareSignature) {
  std::string document;
  for (const std::string text : {"x = 1\n\n\ndef add(a, b):|\n", "x = 1\n\n\ndef add(a, b):\n|\n",
                                 "x = 1\n\n\ndef add(a, b):\n    |\n", "x = 1\n\n\ndef add(a, b):\n    pa|ss\n"}) {
    const auto place = find(text, &document);
    ASSERT_TRUE(place) << text;
    EXPECT_EQ(place->signature, "def add(a, b):");
    EXPECT_EQ(place->title, "Generate function \"add\"");
    EXPECT_EQ(function_prompt(*place), "x = 1\n\n\ndef add(a, b):\n");
    EXPECT_EQ(edited(document, *place, "    return a + b\n\n\nprint(add(1, 2))\n"),
              "x = 1\n\n\ndef add(a, b):\n    return a + b\n");
    EXPECT_EQ(edited(document, *place, "return a + b"), "x = 1\n\n\ndef add(a, b):\n    return a + b\n");
  }
}

TEST(FunctionPlace, SignatureOfManyLinesWithDocstring) {
  std::string document;
  const std::string head =
      "  async def add(\n    a: dict[str, int],\n  ) -> int:\n    \"\"\"Adds|.\n\n    More.\n    \"\"\"\n";
  const auto place = find("class A:\n" + head + "\n  y = 2\n", &document);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->signature, "async def add(\n  a: dict[str, int],\n) -> int:\n  \"\"\"Adds.\n\n  More.\n  \"\"\"");
  EXPECT_EQ(place->indentation, 2U);
  EXPECT_EQ(edited(document, *place, "return a"),
            document.substr(0, document.find("\n\n  y")) + "\n    return a\n\n  y = 2\n");
}

TEST(FunctionPlace, CommentAboveABareSignatureIsContext) {
  const auto place = find("# Adds two n|umbers\ndef add(a, b):\n");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->signature, "def add(a, b):");
  EXPECT_EQ(place->context, "# Adds two numbers");
  EXPECT_EQ(function_prompt(*place), "# Adds two numbers\ndef add(a, b):\n");
}

TEST(FunctionPlace, NowhereElse) {
  for (const std::string text : {
           "# Adds two num|bers\nx = 1\n",                   // about the statement below
           "# Adds two num|bers\ndef f():\n    return 1\n",  // has its function
           "def f():|\n    return 1\n",                      // has its body
           "def f():|\n    \"\"\"Doc of it.\"\"\"\n    x = 1\n",
           "def f(): return |1\n",
           "# | -------------\n",
           "#!/usr/bin/env py|thon3 -u\n",
           "# type: igno|re this here\n",
           "# wor|d\n",
           "x = 1|\n",
           "text = '''\n# adds two nu|mbers\n\n'''\n",
           "text = '''\ndef add(a, b):|\n\n'''\n",
           "def add(a, b|\n",
           "def add(a b):|\n",
           "\tdef add(a):|\n",
           "# Adds two numbers\n\n\n\n\n|\n",
           "|",
       }) {
    EXPECT_FALSE(find(text)) << text;
  }
}

TEST(FunctionPlace, WindowsLineEnds) {
  std::string document;
  const auto place = find("x = 1\r\n# Adds two numbers|\r\n\r\ny = 2\r\n", &document);
  ASSERT_TRUE(place);
  EXPECT_EQ(edited(document, *place, "def add(a, b):\n    return a + b"),
            "x = 1\r\n# Adds two numbers\ndef add(a, b):\n    return a + b\r\n\r\ny = 2\r\n");
}

TEST(FunctionPlace, OfADescriptionAlone) {
  const auto place = place_of_description("a function that adds\ntwo numbers\n");
  EXPECT_EQ(function_prompt(place), "# a function that adds\n# two numbers\n");
  const auto parsed =
      parse_function_answer(python(), place, "\ndef add(a, b):\n    \"\"\"Adds.\"\"\"\n    return a + b\n");
  EXPECT_EQ(parsed.code, "def add(a, b):\n    \"\"\"Adds.\"\"\"\n    return a + b");
  EXPECT_TRUE(parsed.parses);
}

TEST(FunctionAnswers, ThatAreNoFunctionDoNotParse) {
  const auto place = place_of_description("adds two numbers");
  for (const std::string answer :
       {"", "x = 1", "def add(a, b):", "def add(a, b):\n    return (a +\n", "def add(a, b):\n    \"\"\"Adds.\"\"\"\n",
        "class A:\n    def f(self):\n        return 1\n", "import os\n\ndef f():\n    return 1\n"}) {
    EXPECT_FALSE(parse_function_answer(python(), place, answer).parses) << answer;
  }
}

TEST(FunctionAnswers, KeepStringsAsTheyAre) {
  const auto place = find("class A:\n    # Says how to use it\n|");
  ASSERT_TRUE(place);
  const auto parsed = parse_function_answer(
      python(), *place, "def usage(self):\n    \"\"\"Doc\n    more.\"\"\"\n    return '''a\nb'''\n");
  EXPECT_EQ(parsed.code,
            "    # Says how to use it\n    def usage(self):\n        \"\"\"Doc\n        more.\"\"\"\n        return "
            "'''a\nb'''");
  EXPECT_TRUE(parsed.parses);
}

TEST(Descriptions, AreFirstSentences) {
  EXPECT_EQ(first_sentence("\"\"\"Adds e.g two\n    numbers. And more.\"\"\""), "Adds e.g two numbers");
  EXPECT_EQ(first_sentence("'''\n    Adds v1.2 numbers\n\n    More.\n    '''"), "Adds v1.2 numbers");
  EXPECT_EQ(first_sentence("r\"计算和。返回它。\""), "计算和");
  EXPECT_EQ(first_sentence("''"), "");
  EXPECT_EQ(language_label("计算两个数的和"), "zh");
  EXPECT_EQ(language_label("一个计算两个数之和的Python函数"), "zh");
  EXPECT_EQ(language_label("the sum of two numbers"), "en");
}

const std::string kSource =
    "import os\n\n\n# 计算两个数的和\ndef add(a, b):\n    \"\"\"Adds two numbers. Really.\"\"\"\n    return a + "
    "b\n\n\nclass A:\n"
    "    @property\n    def size(self):\n        \"\"\"Says how large it is.\"\"\"\n        return self.x\n\n    def "
    "none(self):\n"
    "        pass\n\n    def plain(self, y):\n        return self.x + y\n";

TEST(FunctionExamples, AreWhatTheEditorAsksFor) {
  const Task& task = *find_task("function-from-comment");
  std::size_t descriptions = 0, signatures = 0, chinese = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const auto examples = task.examples(python(), kSource, random);
    ASSERT_EQ(examples.size(), 3U) << seed << (examples.empty() ? "" : examples[0].prompt + examples[0].answer);
    for (const auto& example : examples) {
      EXPECT_TRUE(task.correct(example, example.answer)) << example.prompt << "---\n" << example.answer;
      EXPECT_FALSE(task.correct(example, "    return 17\n")) << example.prompt;
      if (example.answer.find("def ") != std::string::npos) ++descriptions;
      if (example.prompt.ends_with(":\n") && example.answer.find("def ") == std::string::npos) ++signatures;
      if (example.label == "zh") ++chinese;
    }
  }
  EXPECT_GT(descriptions, 30U);
  EXPECT_GT(signatures, 20U);
  EXPECT_EQ(chinese, 60U);
}

TEST(FunctionExamples, TakeTheCommentAboveForTheDescription) {
  bool seen = false;
  for (std::uint64_t seed = 0; seed < 40 && !seen; ++seed) {
    Random random(seed);
    const auto examples = find_task("function-from-comment")->examples(python(), kSource, random);
    seen = examples[0].prompt == "# 计算两个数的和\n";
    if (seen) {
      EXPECT_EQ(examples[0].answer, "def add(a, b):\n    \"\"\"Adds two numbers. Really.\"\"\"\n    return a + b");
    }
  }
  EXPECT_TRUE(seen);
}

TEST(FunctionExamples, AnotherDocstringIsStillTheSameFunction) {
  const TaskExample wanted{"# adds two numbers\n", "def add(a, b):\n    \"\"\"Adds.\"\"\"\n    return a + b", "en", -1};
  const Task& task = *find_task("function-from-comment");
  EXPECT_TRUE(
      task.correct(wanted, "def add(a,b):\n    '''Sum it\n    up.'''\n    # so\n    return a + b\n\n\nprint(1)"));
  EXPECT_FALSE(task.correct(wanted, "def add(a, b):\n    \"\"\"Adds.\"\"\"\n    return b + a"));
}

}  // namespace
}  // namespace weft::adapters
