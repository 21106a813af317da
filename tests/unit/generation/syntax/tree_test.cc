#include "generation/syntax/tree.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "generation/syntax/scanner.h"

namespace weft::generation {
namespace {

const Language& python() { return language_for("python", ""); }

TEST(Languages, AreFoundByNameOrExtension) {
  ASSERT_NE(find_language("", "a/b.py"), nullptr);
  EXPECT_EQ(find_language("", "a/b.pyi")->name, "python");
  EXPECT_EQ(find_language("python", "a/b.txt")->name, "python");
  EXPECT_EQ(find_language("go", "a/b.py"), nullptr);
  EXPECT_EQ(find_language("", "a/b"), nullptr);
  EXPECT_EQ(language_for("go", "a/b.go").grammar, nullptr);
}

TEST(SyntaxTree, CountsErrorsWhereTheyAre) {
  const std::string text = "def f(:\n    pass\n\n\ny = 1\n";
  const auto tree = SyntaxTree::parse(python(), text);
  ASSERT_TRUE(tree);
  EXPECT_GT(tree->errors_in({0, 8}), 0U);
  EXPECT_EQ(tree->errors_in({text.size() - 5, text.size()}), 0U);
}

TEST(SyntaxTree, KnowsWhatTheCursorStandsIn) {
  const std::string text = "x = 'abc'  # note\ny = 2\n";
  const auto tree = SyntaxTree::parse(python(), text);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->kind_at(text.find("bc")), TextKind::kString);
  EXPECT_EQ(tree->kind_at(text.find("ote")), TextKind::kComment);
  EXPECT_EQ(tree->kind_at(text.find("2")), TextKind::kCode);
  EXPECT_EQ(tree->kind_at(0), TextKind::kCode);
}

TEST(SyntaxTree, FindsTheInnermostBlock) {
  const std::string text = "def f():\n    if a:\n        b()\n    c()\n";
  const auto tree = SyntaxTree::parse(python(), text);
  ASSERT_TRUE(tree);
  const auto block = tree->enclosing_block(text.find("b()"));
  ASSERT_TRUE(block);
  EXPECT_EQ(text.substr(block->begin, block->end - block->begin), "b()");
}

TEST(SyntaxTree, RefusesWhatIsTooLargeOrHasNoGrammar) {
  const auto large = SyntaxTree::parse(python(), "x = 1\n", {.limit_bytes = 3, .timeout_ms = 100});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().message, "text of 6 bytes is over the parse limit of 3");
  EXPECT_FALSE(SyntaxTree::parse(language_for("", "x.zzz"), "x"));
}

TEST(SyntaxTree, GivesUpWhenItsOwnTimeIsSpent) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "value = call(a, b)[0]\n";
  EXPECT_FALSE(SyntaxTree::parse(python(), text, {.timeout_ms = 0.01}));
  EXPECT_TRUE(SyntaxTree::parse(python(), text, {.timeout_ms = 60'000}));
}

// Where a string literal begins, its prefix letters are part of the tree's node and not yet of the scanner's.
bool before_quote(std::string_view text, std::size_t offset) {
  const std::string_view next = text.substr(offset, 3);
  return next.find_first_of("'\"") < 3;
}

TEST(SyntaxTree, AgreesWithTheScannerOnEveryPlaceOfRealFiles) {
  std::size_t files = 0, strings = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(WEFT_SOURCE_DIR "/tests/support")) {
    if (entry.path().extension() != ".py") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto tree = SyntaxTree::parse(python(), text, {.limit_bytes = 2 << 20, .timeout_ms = 10000});
    ASSERT_TRUE(tree) << entry.path();
    ASSERT_EQ(tree->errors_in({0, text.size()}), 0U) << entry.path();
    CodeScanner scanner(python());
    ++files;
    for (std::size_t offset = 1; offset < text.size(); ++offset) {
      scanner.feed(text.substr(offset - 1, 1));
      if (before_quote(text, offset)) continue;
      ASSERT_EQ(scanner.kind(), tree->kind_at(offset)) << entry.path() << " at " << offset;
      strings += scanner.kind() == TextKind::kString ? 1U : 0U;
    }
    EXPECT_EQ(scanner.depth(), 0) << entry.path();
  }
  EXPECT_GT(files, 0U);
  EXPECT_GT(strings, 500U);
}

}  // namespace
}  // namespace weft::generation
