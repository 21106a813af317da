#include "generation/syntax/scanner.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::generation {
namespace {

const Language& python() { return language_for("python", ""); }

CodeScanner scanned(std::string_view text, const Language& language = python()) {
  CodeScanner scanner(language);
  scanner.feed(text);
  return scanner;
}

std::string kept(std::string_view prefix, std::string_view generated) {
  const auto end = block_end(block_edge(python(), prefix), generated);
  return std::string(generated.substr(0, end.value_or(generated.size())));
}

TEST(CodeScanner, KnowsStringsAndComments) {
  EXPECT_EQ(scanned("x = 'a").kind(), TextKind::kString);
  EXPECT_EQ(scanned("x = 'a'").kind(), TextKind::kCode);
  EXPECT_EQ(scanned("x = 'a\\'").kind(), TextKind::kString);
  EXPECT_EQ(scanned("x = ''").kind(), TextKind::kCode);
  EXPECT_EQ(scanned("x = ''  # it's").kind(), TextKind::kComment);
  EXPECT_EQ(scanned("x = 1  # it's\ny").kind(), TextKind::kCode);
  EXPECT_EQ(scanned("def f():\n    \"\"\"Doc 'of\n").kind(), TextKind::kString);
  EXPECT_EQ(scanned("def f():\n    \"\"\"Doc 'of\n\"\"\"").kind(), TextKind::kCode);
  EXPECT_EQ(scanned("x = 'never closed\ny = 1").kind(), TextKind::kCode);
}

TEST(CodeScanner, GivesTheSameForEveryWayOfCuttingTheText) {
  const std::string text =
      "def f(a, b='#('):\n    \"\"\"x ) '\n    \"\"\"\n    return [a, # )\n        {b: ''}]  \\\n    + 1\n";
  for (std::size_t end = 0; end <= text.size(); ++end) {
    const CodeScanner whole = scanned(text.substr(0, end));
    for (std::size_t cut = 0; cut <= end; ++cut) {
      CodeScanner pieces(python());
      pieces.feed(text.substr(0, cut));
      pieces.feed(text.substr(cut, end - cut));
      ASSERT_EQ(pieces.kind(), whole.kind()) << end << ' ' << cut;
      ASSERT_EQ(pieces.depth(), whole.depth()) << end << ' ' << cut;
      ASSERT_EQ(pieces.indentation(), whole.indentation()) << end << ' ' << cut;
    }
  }
  EXPECT_EQ(scanned(text).depth(), 0);
}

TEST(CodeScanner, CountsBracketsOutsideOfStrings) {
  EXPECT_EQ(scanned("f(a, [1, '(', {").depth(), 3);
  EXPECT_EQ(scanned("f(a)").depth(), 0);
  EXPECT_FALSE(scanned("f(a)").over_closed());
  EXPECT_TRUE(scanned("a)").over_closed());
}

TEST(BlockEnd, StandsWhereALineIsLessIndentedThanTheBlock) {
  EXPECT_EQ(kept("def f():\n    ", "a = 1\n    return a\n\ndef g():\n    pass"), "a = 1\n    return a\n");
  EXPECT_EQ(kept("def f():", "\n    return 1\nx = 2"), "\n    return 1");
  EXPECT_EQ(kept("class A:\n    def f(self):\n        ", "return 1\n    def g(self):\n        pass"), "return 1");
  EXPECT_EQ(kept("def f():\n    ", "if a:\n        b()\n    c()\n"), "if a:\n        b()\n    c()\n");
}

TEST(BlockEnd, IsNotInsideOfBracketsAndLongStrings) {
  EXPECT_EQ(kept("def f():\n    ", "x = [\n1,\n]\n    return x\ny"), "x = [\n1,\n]\n    return x");
  EXPECT_EQ(kept("def f():\n    ", "x = '''\nleft\n'''\n    return x\ny"), "x = '''\nleft\n'''\n    return x");
}

TEST(BlockEnd, FollowsAHeaderThatTheTextItselfFinishes) { EXPECT_EQ(kept("if ", "x:\n    y()\nz()"), "x:\n    y()"); }

TEST(BlockEnd, GoesByIndentationInOtherLanguages) {
  const auto edge = block_edge(language_for("", "main.go"), "func f() {\n\t");
  const std::string generated = "x := 1\n\treturn x\n}\n\nfunc g() {";
  EXPECT_EQ(generated.substr(0, block_end(edge, generated).value_or(generated.size())), "x := 1\n\treturn x");
}

TEST(OverClosing, FindsTheBracketThatTheTextBehindTheCursorNeeds) {
  const auto cut = [](std::string_view before, std::string_view generated, std::string_view after) {
    return std::string(generated.substr(0, over_closing(scanned(before), generated, after).value_or(generated.size())));
  };
  EXPECT_EQ(cut("print(", "x)", ")"), "x");
  EXPECT_EQ(cut("print(", "f(x)", ")"), "f(x)");
  EXPECT_EQ(cut("print(f(", "x))", ")"), "x)");
  EXPECT_EQ(cut("print(", "x)", "\ny = f(1)\n"), "x)");
  EXPECT_EQ(cut("x = 1", ")", ""), "");
  EXPECT_EQ(cut("f(\n    a=1,\n    b=", "2)", "\n)\n"), "2");
  EXPECT_EQ(cut("print('", "hello')", "')"), "hello");
  EXPECT_EQ(cut("print('", "hello')", "\n"), "hello')");
}

}  // namespace
}  // namespace weft::generation
