#include "adapters/eval/places.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
}

TEST(ChoosePlaces, AreHalfAfterTheIndentationAndHalfInside) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "    naïve_name = 'é'  \n\n";
  const auto places = choose_places(text, 20, 3);
  ASSERT_EQ(places.size(), 20U);
  EXPECT_TRUE(std::ranges::is_sorted(places));
  EXPECT_EQ(std::ranges::adjacent_find(places), places.end());
  std::size_t at_indentation = 0;
  for (const std::size_t place : places) {
    const std::size_t line = text.rfind('\n', place) + 1;
    EXPECT_GE(place - line, 4U);
    EXPECT_LT(place - line, 24U);  // before the line's last character
    EXPECT_NE(static_cast<unsigned char>(text[place]) & 0xC0U, 0x80U);
    if (place - line == 4) ++at_indentation;
  }
  EXPECT_EQ(at_indentation, 10U);
  EXPECT_EQ(choose_places(text, 20, 3), places);
  EXPECT_NE(choose_places(text, 20, 4), places);
}

TEST(ChoosePlaces, AreAsManyAsThereAre) {
  EXPECT_TRUE(choose_places("", 4, 1).empty());
  EXPECT_TRUE(choose_places("\n  \n\n", 4, 1).empty());
  EXPECT_EQ(choose_places("x\n", 4, 1).size(), 1U);
}

TEST(ChooseLines, AreOnesWithSomethingInThem) {
  const std::string text = "a = 1\n\n    return b  \n";
  const auto lines = choose_lines(text, 4, 1);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(text.substr(lines[0].begin, lines[0].end - lines[0].begin), "a = 1");
  EXPECT_EQ(text.substr(lines[1].begin, lines[1].end - lines[1].begin), "return b");
}

}  // namespace
}  // namespace weft::adapters
