#include "adapters/actions/edits.h"

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

using generation::ByteRange;

const generation::Language& python() { return *generation::find_language("python", ""); }

TEST(Dedent, TakesWhatIsCommonToTheLines) {
  const DedentedCode code = dedent("    if a:\n\n        b()\n    c()");
  EXPECT_EQ(code.text, "if a:\n\n    b()\nc()");
  EXPECT_EQ(code.indentation, "    ");
}

TEST(Dedent, TabsAndBlanksShareNothing) { EXPECT_EQ(dedent("\ta\n    b").indentation, ""); }

TEST(Dedent, AndIndentedAgainIsTheSame) {
  for (const std::string_view code :
       {"  a\r\n\r\n  b\r\n", "\tx = '''\n\t  y\n\t'''", "a", "", "  \n  a", "    a\n      b\n"}) {
    const DedentedCode dedented = dedent(code);
    EXPECT_EQ(dedent(indent_like(dedented, dedented.text)).text, dedented.text) << code;
  }
  const DedentedCode windows = dedent("  a\r\n\r\n  b\r\n");
  EXPECT_EQ(windows.text, "a\n\nb\n");
  EXPECT_EQ(indent_like(windows, windows.text), "  a\r\n\r\n  b\r\n");
}

TEST(Lines, OfARange) {
  const std::string_view text = "x\n  def f():\r\n    return 1  \nend";
  const ByteRange range{2, 29};
  const auto shown = [&](std::size_t line) {
    const ByteRange found = line_in(text, range, line);
    return text.substr(found.begin, found.end - found.begin);
  };
  EXPECT_EQ(shown(0), "def f():");
  EXPECT_EQ(shown(1), "return 1 ");  // the range ends here
  EXPECT_EQ(shown(2), "");
  EXPECT_EQ(shown(99), "");
}

TEST(Sound, AnEditThatBreaksTheDocumentIsNot) {
  const std::string_view text = "a = 1\nb = 2\n";
  EXPECT_TRUE(stays_sound(python(), text, {{0, 5}, "a = 3"}));
  EXPECT_FALSE(stays_sound(python(), text, {{0, 5}, "a = (3"}));
  EXPECT_TRUE(stays_sound(python(), "a = (\nb = 2\n", {{6, 11}, "b = 3"}));  // it was broken before
}

}  // namespace
}  // namespace weft::adapters
