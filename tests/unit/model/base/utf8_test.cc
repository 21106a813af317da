// UTF-8: whole characters only, and an offset never ends inside one.
#include <gtest/gtest.h>

#include <array>

#include "model/base/utf8.h"

namespace weft {
namespace {

TEST(Utf8, ReadsCharactersOfEveryLength) {
  struct Case {
    std::string_view text;
    char32_t code;
  };
  for (const auto& [text, code] : std::array<Case, 8>{{{"a", U'a'},
                                                       {"\x7F", 0x7F},
                                                       {"\xC2\x80", 0x80},
                                                       {"é", 0xE9},
                                                       {"\xE0\xA0\x80", 0x800},
                                                       {"漢", 0x6F22},
                                                       {"😀", 0x1F600},
                                                       {"\xF4\x8F\xBF\xBF", 0x10FFFF}}}) {
    const Utf8Character character = utf8_at(text, 0);
    EXPECT_TRUE(character.valid) << text;
    EXPECT_EQ(character.code, code);
    EXPECT_EQ(character.bytes, text.size());
  }
}

TEST(Utf8, TakesAnInvalidSequenceByteByByte) {
  for (const std::string_view text :
       {"\x80", "\xC3", "\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xED\xA0\x80", "\xE6\xBC", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3z"}) {
    const Utf8Character character = utf8_at(text, 0);
    EXPECT_FALSE(character.valid);
    EXPECT_EQ(character.bytes, 1U);
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Utf8, MeasuresTheValidBeginning) {
  EXPECT_EQ(utf8_valid_prefix("añ\xC3"), 3U);
  EXPECT_EQ(utf8_valid_prefix("\xFF"), 0U);
  EXPECT_TRUE(is_valid_utf8("añ漢😀"));
  EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(utf8_count("añ漢😀"), 4U);
  EXPECT_EQ(utf8_count("a\xFF\xE6\xBC"), 4U);
}

TEST(Utf8, MovesAnOffsetBackToACharactersBeginning) {
  const std::string_view text = "a漢😀b";  // 1 + 3 + 4 + 1
  const std::array<std::size_t, 11> expected{0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};
  for (std::size_t offset = 0; offset < expected.size(); ++offset) {
    EXPECT_EQ(utf8_floor(text, offset), expected[offset]) << offset;
  }
  EXPECT_EQ(utf8_floor("\x80\x80\x80\x80\x80", 5), 5U);
}

}  // namespace
}  // namespace weft
