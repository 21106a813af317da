#include "generation/syntax/functions.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::generation {
namespace {

const Language& python() { return language_for("python", ""); }

std::vector<FunctionParts> functions(const std::string& text) {
  const auto tree = SyntaxTree::parse(python(), text);
  EXPECT_TRUE(tree);
  return tree ? functions_of(python(), *tree, text) : std::vector<FunctionParts>();
}
std::string cut(const std::string& text, ByteRange range) { return text.substr(range.begin, range.end - range.begin); }

TEST(Functions, HaveTheirParts) {
  const std::string text =
      "import os\n\n\ndef area(width: int = 2, *rest) -> \"dict[str, int]\":\n    \"\"\"Says\n    how.\"\"\"\n    x = "
      "width\n"
      "    return x\n    # done\n\n\nprint(1)\n";
  const auto found = functions(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(cut(text, found[0].name), "area");
  EXPECT_EQ(cut(text, found[0].signature), "def area(width: int = 2, *rest) -> \"dict[str, int]\":");
  EXPECT_EQ(cut(text, *found[0].docstring), "\"\"\"Says\n    how.\"\"\"");
  EXPECT_EQ(cut(text, found[0].body), "\"\"\"Says\n    how.\"\"\"\n    x = width\n    return x");
  EXPECT_EQ(found[0].whole, (ByteRange{found[0].signature.begin, found[0].body.end}));
  EXPECT_EQ(found[0].indentation, 0U);
}

TEST(Functions, BeginWithTheirDecorators) {
  const std::string text = "class A:\n    @property\n    @cache(1)\n    async def f(self):\n        return await g()\n";
  const auto found = functions(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(cut(text, found[0].whole), text.substr(13, text.size() - 14));
  EXPECT_EQ(cut(text, found[0].signature), "async def f(self):");
  EXPECT_EQ(found[0].indentation, 4U);
}

TEST(Functions, InnerOnesComeAfterThoseThatHoldThem) {
  const std::string text =
      "def outer():\n    def inner():\n        return 1\n    return inner\n\ndef last(): return 2\n";
  const auto found = functions(text);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(cut(text, found[0].name), "outer");
  EXPECT_EQ(cut(text, found[1].name), "inner");
  EXPECT_EQ(found[1].indentation, 4U);
  EXPECT_EQ(cut(text, found[0].whole), text.substr(0, text.find("\n\ndef last")));
  EXPECT_EQ(cut(text, found[2].body), "return 2");
}

TEST(Functions, OnlyPlainStringsDocument) {
  for (const std::string literal : {"f'a {b}'", "b'a'", "'a' 'b'", "x = 'a'", "'a'.strip()"}) {
    const auto found = functions("def f():\n    " + literal + "\n    return 1\n");
    ASSERT_EQ(found.size(), 1U) << literal;
    EXPECT_FALSE(found[0].docstring) << literal;
  }
  for (const std::string literal : {"'a'", "r\"a\"", "'''a'''"}) {
    const auto found = functions("def f():\n    # note\n    " + literal + "\n    return 1\n");
    ASSERT_EQ(found.size(), 1U) << literal;
    EXPECT_TRUE(found[0].docstring) << literal;
  }
}

TEST(Functions, WindowsLineEndsAndTabsAreRead) {
  const std::string text = "class A:\r\n\tdef f(self):\r\n\t\t\"\"\"Doc.\"\"\"\r\n\t\treturn 1\r\n\r\nx = 1\r\n";
  const auto found = functions(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(cut(text, found[0].whole), "def f(self):\r\n\t\t\"\"\"Doc.\"\"\"\r\n\t\treturn 1");
  EXPECT_EQ(found[0].indentation, 8U);
}

TEST(Functions, BrokenOnesAreLeftOut) {
  const std::string text = "def good():\n    return 1\n\n\ndef bad(:\n    return (\n\n\ndef fine():\n    return 2\n";
  for (const auto& parts : functions(text)) EXPECT_NE(cut(text, parts.name), "bad");
  EXPECT_EQ(functions("def f(a):\n").size(), 0U);
  EXPECT_EQ(functions("").size(), 0U);
  const std::string first = "def good():\n    return 1\n\n\nx = (\n";
  EXPECT_EQ(functions(first).size(), 1U);
}

}  // namespace
}  // namespace weft::generation
