// FILE:LINE:COL: how it is read and where it points.
#include "lsp/location.h"

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

std::size_t offset(std::string_view text, std::size_t line, std::size_t column) {
  const auto found = offset_of(text, {"f.py", line, column});
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found ? *found : std::string_view::npos;
}

TEST(ParseLocation, TakesTheLastTwoColons) {
  const auto location = parse_location("C:/odd:name:3.py:12:5");
  ASSERT_TRUE(location);
  EXPECT_EQ(location->path, "C:/odd:name:3.py");
  EXPECT_EQ(location->line, 12U);
  EXPECT_EQ(location->column, 5U);
}

TEST(ParseLocation, RefusesWhatIsNotAPlace) {
  for (const char* bad : {"", ":", "::", "a", "a:1", "a:1:", "a::1", "a:0:1", "a:1:0", "a:1:x", "a:+1:1", "a:-1:1",
                          "a:1:1 ", ":1:1", "a:1:99999999999999999999999"}) {
    const auto location = parse_location(bad);
    ASSERT_FALSE(location) << bad;
    EXPECT_NE(location.error().message.find("FILE:LINE:COL"), std::string::npos);
  }
}

TEST(OffsetOf, ColumnsAreCharacters) {
  const std::string_view text = "ab\nä€𝄞x\n";
  EXPECT_EQ(offset(text, 2, 1), 3U);
  EXPECT_EQ(offset(text, 2, 2), 5U);
  EXPECT_EQ(offset(text, 2, 3), 8U);
  EXPECT_EQ(offset(text, 2, 4), 12U);
  EXPECT_EQ(offset(text, 2, 5), 13U);  // one past the end
}

TEST(OffsetOf, KnowsTheThreeLineEndings) {
  EXPECT_EQ(offset("a\r\nb\rc\nd", 2, 1), 3U);
  EXPECT_EQ(offset("a\r\nb\rc\nd", 3, 1), 5U);
  EXPECT_EQ(offset("a\r\nb\rc\nd", 4, 2), 8U);
  EXPECT_EQ(offset("a\r\n", 1, 2), 1U);  // before the ending, not inside of it
  EXPECT_EQ(offset("a\n", 2, 1), 2U);
  EXPECT_EQ(offset("", 1, 1), 0U);
}

TEST(OffsetOf, SaysHowFarTheTextGoes) {
  const auto line = offset_of("a\nb", {"f.py", 3, 1});
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().message, "f.py: line 3 is past the end: the file has 2 lines");
  const auto column = offset_of("äö\n", {"f.py", 1, 4});
  ASSERT_FALSE(column);
  EXPECT_EQ(column.error().message, "f.py: column 4 is past the end of line 1, which has 2 characters");
}

}  // namespace
}  // namespace weft::lsp
