#include "adapters/eval/lexical.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

std::vector<std::string> tokens(std::string_view text, generation::ByteRange range) {
  const generation::Language& python = *generation::find_language("python", "");
  const auto tree = generation::SyntaxTree::parse(python, text);
  std::vector<std::string> out;
  for (const auto token : lexical_tokens(python, *tree, range)) {
    out.emplace_back(text.substr(token.begin, token.end - token.begin));
  }
  return out;
}

TEST(LexicalTokens, AreTheLeavesOfTheLine) {
  const std::string text = "a = 1\nif x.y(2.5, 'é b') != -c:  # not this\n    pass\n";
  EXPECT_EQ(tokens(text, {6, text.find("\n    ")}), (std::vector<std::string>{"if", "x", ".", "y", "(", "2.5", ",", "'",
                                                                              "é b", "'", ")", "!=", "-", "c", ":"}));
}

TEST(LexicalTokens, EndWithTheRange) {
  EXPECT_EQ(tokens("abc = def\n", {0, 7}), (std::vector<std::string>{"abc", "="}));
  EXPECT_EQ(tokens("x = \"\"\"long\ntext\"\"\"\n", {0, 11}), (std::vector<std::string>{"x", "=", "\"\"\""}));
}

TEST(BeginsWithToken, WhereItEndsThere) {
  EXPECT_TRUE(begins_with_token("in xs:", "in"));
  EXPECT_FALSE(begins_with_token("int(x)", "in"));
  EXPECT_TRUE(begins_with_token("in", "in"));
  EXPECT_FALSE(begins_with_token("i", "in"));
  EXPECT_FALSE(begins_with_token("== 1", "="));
  EXPECT_TRUE(begins_with_token("=-1", "="));
  EXPECT_FALSE(begins_with_token("**k", "*"));
  EXPECT_TRUE(begins_with_token("))", ")"));
}

}  // namespace
}  // namespace weft::adapters
