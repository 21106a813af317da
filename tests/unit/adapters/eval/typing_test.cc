#include "adapters/eval/typing.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

// Shows what it is told to by what has been typed, and remembers what it was asked.
struct Script {
  std::map<std::size_t, std::string> shown;
  std::vector<std::size_t> asked{};

  TypedLine type(std::string_view line) {
    const auto typed = type_line(line, [this](std::size_t typed_bytes) -> Expected<std::string> {
      asked.push_back(typed_bytes);
      return shown[typed_bytes];
    });
    return *typed;
  }
};

TEST(Typing, WithoutSuggestionsCostsAKeyACharacter) {
  Script script;
  const TypedLine typed = script.type("naïve = 1");
  EXPECT_EQ(typed.characters, 9U);
  EXPECT_EQ(typed.keys, 9U);
  EXPECT_FALSE(typed.accepted);
  EXPECT_EQ(script.asked, (std::vector<std::size_t>{0, 1, 2, 4, 5, 6, 7, 8, 9}));
}

TEST(Typing, AcceptsTheRestOfTheLineWithAKey) {
  Script script{.shown = {{2, "turn x  \nmore"}}};
  const TypedLine typed = script.type("return x");
  EXPECT_EQ(typed.characters, 8U);
  EXPECT_EQ(typed.keys, 3U);
  EXPECT_TRUE(typed.accepted);
  EXPECT_EQ(script.asked, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Typing, AtTheLinesBeginningCostsAKeyForAll) {
  Script script{.shown = {{0, "return x"}}};
  EXPECT_EQ(script.type("return x").keys, 1U);
}

TEST(Typing, TypesAlongWhatIsNotTheWholeLine) {
  Script script{.shown = {{0, "return y"}, {7, "x"}}};
  const TypedLine typed = script.type("return x");
  EXPECT_EQ(script.asked, (std::vector<std::size_t>{0}));  // the last character is typed, against what is shown
  EXPECT_EQ(typed.keys, 8U);
  EXPECT_FALSE(typed.accepted);
}

TEST(Typing, AsksAgainWhereItTypesSomethingElse) {
  Script script{.shown = {{0, "raise y"}, {2, "turn x"}}};
  const TypedLine typed = script.type("return x");
  EXPECT_EQ(script.asked, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(typed.keys, 3U);
}

TEST(Typing, AsksAgainBehindASuggestionThatIsTooShort) {
  Script script{.shown = {{0, "return"}, {6, " x"}}};
  const TypedLine typed = script.type("return x");
  EXPECT_EQ(script.asked, (std::vector<std::size_t>{0, 6}));
  EXPECT_EQ(typed.keys, 7U);
}

TEST(Typing, PassesAFailureOn) {
  const auto failing = [](std::size_t) -> Expected<std::string> { return make_error("gone"); };
  EXPECT_FALSE(type_line("x", failing));
}

TEST(FirstLine, HasNoBlanksAtItsEnd) {
  EXPECT_EQ(first_line("a b \r\nc"), "a b");
  EXPECT_EQ(first_line("  \nc"), "");
  EXPECT_EQ(first_line(""), "");
}

}  // namespace
}  // namespace weft::adapters
