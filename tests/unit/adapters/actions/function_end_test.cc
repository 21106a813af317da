#include "adapters/actions/function_end.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

constexpr AnswerShape kFunction, kBody{.begins_in_body = true};

// What is kept of a text that comes a byte at a time; all of it when it never ends.
std::string kept(std::string_view text, AnswerShape shape) {
  const auto stop = stop_at_function_end(*generation::find_language("python", ""), shape);
  for (std::size_t length = 1; length <= text.size(); ++length) {
    if (const auto keep = stop->check(text.substr(0, length))) return std::string(text.substr(0, *keep));
  }
  return std::string(text);
}

TEST(FunctionEnd, WhereTheNextStatementBegins) {
  EXPECT_EQ(kept("def f(a):\n    return a\n\n\ndef g():\n", kFunction), "def f(a):\n    return a");
  EXPECT_EQ(kept("    return a\n\nprint(f(1))", kBody), "    return a");
  EXPECT_EQ(kept("\n    return a\nx", kBody), "\n    return a");
}

TEST(FunctionEnd, DecoratorsAndLongSignaturesBelongToTheFunction) {
  const std::string_view whole = "@cache\ndef f(\n    a,\n):\n    return a\n";
  EXPECT_EQ(kept(std::string(whole) + "y = 1", kFunction), whole.substr(0, whole.size() - 1));
}

TEST(FunctionEnd, StringsOfManyLinesAreNoStatements) {
  const std::string_view whole = "def f():\n    \"\"\"One.\n\nTwo.\n\"\"\"\n    return 1\n";
  EXPECT_EQ(kept(std::string(whole) + "y", kFunction), whole.substr(0, whole.size() - 1));
}

TEST(FunctionEnd, AFunctionOnOneLine) {
  EXPECT_EQ(kept("def f(a): return a\nx = 1\n", kFunction), "def f(a): return a");
}

TEST(FunctionEnd, AnUnfinishedFunctionGoesOn) {
  EXPECT_EQ(kept("import math\n\ndef f(a):\n    if a:\n", kFunction), "import math\n\ndef f(a):\n    if a:\n");
}

TEST(FunctionEnd, AMethodEndsWhereTheNextOneBegins) {
  const AnswerShape body{.begins_in_body = true, .indentation = 4}, method{.indentation = 4};
  EXPECT_EQ(kept("        return 1\n\n    def g(self):", body), "        return 1");
  EXPECT_EQ(kept("    def f(self):\n        return 1\n    x", method), "    def f(self):\n        return 1");
}

}  // namespace
}  // namespace weft::adapters
