// Positions in the three encodings against byte offsets.
#include "lsp/position.h"

#include <string_view>

#include <gtest/gtest.h>

namespace weft::lsp {
namespace {

using enum PositionEncoding;

// a: 1 byte; ä: 2 bytes, 1 unit; €: 3 bytes, 1 unit; 𝕏: 4 bytes, 2 units.
constexpr std::string_view kText = "a\nä€𝕏b\r\nlast";

TEST(OffsetOf, CountsInTheEncoding) {
  EXPECT_EQ(offset_of(kText, {1, 9}, kUtf8), 11U);
  EXPECT_EQ(offset_of(kText, {1, 4}, kUtf16), 11U);
  EXPECT_EQ(offset_of(kText, {1, 3}, kUtf32), 11U);
  EXPECT_EQ(offset_of(kText, {2, 4}, kUtf16), kText.size());
}

TEST(OffsetOf, ClampsAsTheProtocolSays) {
  EXPECT_EQ(offset_of(kText, {0, 100}, kUtf16), 1U) << "past the line's end";
  EXPECT_EQ(offset_of(kText, {1, 100}, kUtf16), 12U) << "before \\r\\n";
  EXPECT_EQ(offset_of(kText, {3, 0}, kUtf16), kText.size()) << "past the last line";
  EXPECT_EQ(offset_of(kText, {4000000000U, 4000000000U}, kUtf8), kText.size());
  EXPECT_EQ(offset_of("", {0, 1}, kUtf16), 0U);
}

TEST(OffsetOf, InsideACharacterIsItsStart) {
  EXPECT_EQ(offset_of(kText, {1, 3}, kUtf16), 7U) << "between the halves of a surrogate pair";
  EXPECT_EQ(offset_of(kText, {1, 1}, kUtf8), 2U);
  EXPECT_EQ(offset_of(kText, {1, 8}, kUtf8), 7U);
}

TEST(OffsetOf, AllThreeLineEndsCount) {
  EXPECT_EQ(offset_of("a\rb\r\nc\nd", {1, 0}, kUtf16), 2U);
  EXPECT_EQ(offset_of("a\rb\r\nc\nd", {2, 0}, kUtf16), 5U);
  EXPECT_EQ(offset_of("a\rb\r\nc\nd", {3, 0}, kUtf16), 7U);
  EXPECT_EQ(offset_of("a\n", {1, 0}, kUtf16), 2U) << "an empty last line is a line";
}

TEST(PositionOf, IsTheWayBack) {
  EXPECT_EQ(position_of(kText, 11, kUtf8), (Position{1, 9}));
  EXPECT_EQ(position_of(kText, 11, kUtf16), (Position{1, 4}));
  EXPECT_EQ(position_of(kText, 11, kUtf32), (Position{1, 3}));
  EXPECT_EQ(position_of(kText, kText.size(), kUtf16), (Position{2, 4}));
  EXPECT_EQ(position_of("", 0, kUtf16), (Position{0, 0}));
  EXPECT_EQ(position_of("a\r\nb", 2, kUtf16), (Position{0, 1})) << "between \\r and \\n";
}

TEST(LineBegin, IsOnTheSameLine) {
  EXPECT_EQ(line_begin(kText, 0), 0U);
  EXPECT_EQ(line_begin(kText, 1), 0U);
  EXPECT_EQ(line_begin(kText, 12), 2U);
  EXPECT_EQ(line_begin(kText, 13), 2U) << "between \\r and \\n";
  EXPECT_EQ(line_begin(kText, 14), 14U);
}

}  // namespace
}  // namespace weft::lsp
