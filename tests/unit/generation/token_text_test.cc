#include "generation/token_text.h"

#include <gtest/gtest.h>

#include "model/base/utf8.h"

namespace weft::generation {
namespace {

constexpr std::string_view kMixed = "a\u00e9\u0800\uFFFF\U00010000\U0010FFFF\uD7FF\uE000z";

TEST(TokenText, ASplitAtAnyTwoPlacesShowsTheSameText) {
  for (std::size_t i = 0; i <= kMixed.size(); ++i) {
    for (std::size_t j = i; j <= kMixed.size(); ++j) {
      TokenText text;
      text.append(kMixed.substr(0, i));
      EXPECT_TRUE(is_valid_utf8(text.shown()));
      EXPECT_TRUE(kMixed.starts_with(text.shown()));
      text.append(kMixed.substr(i, j - i));
      EXPECT_TRUE(kMixed.starts_with(text.shown()));
      text.append(kMixed.substr(j));
      EXPECT_EQ(text.shown(), kMixed) << i << " " << j;
    }
  }
}

TEST(TokenText, ByteByByteACharacterShowsWithItsLastByte) {
  TokenText text;
  EXPECT_FALSE(text.append("\xE2"));
  EXPECT_FALSE(text.append("\x82"));
  EXPECT_EQ(text.shown(), "");
  EXPECT_TRUE(text.append("\xAC"));
  EXPECT_EQ(text.shown(), "\u20AC");
  EXPECT_FALSE(text.append(""));
}

TEST(TokenText, WhatCanBeNoCharacterIsReplacedAtOnce) {
  const auto shown = [](std::string_view bytes) {
    TokenText text;
    text.append(bytes);
    return text.shown();
  };
  EXPECT_EQ(shown("\x80"), "\uFFFD");
  EXPECT_EQ(shown("\xC0"), "\uFFFD");
  EXPECT_EQ(shown("\xFF"), "\uFFFD");
  EXPECT_EQ(shown("\xED\xA0"), "\uFFFD\uFFFD");  // would be a surrogate
  EXPECT_EQ(shown("\xE0\x80"), "\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(shown("\xF4\x90"), "\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(shown("\xC3x"), "\uFFFDx");
  EXPECT_EQ(shown("\xF0\x9F\x90"), "");  // waits
}

TEST(TokenText, CutKeepsWholeCharacters) {
  TokenText text;
  text.append("a\u00e9b\xC3");
  text.cut(2);
  EXPECT_EQ(text.shown(), "a");
  text.append("\xA9");  // what waited is forgotten
  EXPECT_EQ(text.shown(), "a\uFFFD");
  text.cut(100);
  EXPECT_EQ(text.shown(), "a\uFFFD");
}

}  // namespace
}  // namespace weft::generation
