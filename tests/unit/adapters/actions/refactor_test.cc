#include <gtest/gtest.h>

#include "tests/unit/adapters/actions/rig.h"

namespace weft::adapters {
namespace {

using test::Answer;
using test::Rig;

const std::string kText = "def f(xs):\n    out = []\n    for x in xs:\n        out.append(x + 1)\n    return out\n";
const std::string kClumsy = "    out = []\n    for x in xs:\n        out.append(x + 1)";

RefactorPlace place_in(const std::string& text) {
  const std::size_t begin = text.find(kClumsy);
  return {{begin, begin + kClumsy.size()}, "list-comprehension", "Refactor: use a list comprehension"};
}

// Says `reply` after the prompt that weft's own row makes of the statements.
test::Script replying(const std::string& reply) {
  const std::string prompt = refactor_prompt("list-comprehension", "out = []\nfor x in xs:\n    out.append(x + 1)");
  return test::answering(prompt.substr(prompt.size() / 2), reply);
}

Answer<TextEdit> refactor(const std::string& reply, const std::string& text = kText) {
  const Rig rig(test::hashed_script(), {{"tidy", replying(reply)}});
  rig.install("tidy", "refactor");
  Answer<TextEdit> answer;
  rig.service->refactor(Rig::document(text), place_in(text), answer.done());
  rig.run();
  return answer;
}

TEST(Refactor, TheModelsTextAtTheStatementsIndentation) {
  const auto answer = refactor("out = [x + 1 for x in xs]");
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  EXPECT_EQ((*answer.result)->range, place_in(kText).range);
  EXPECT_EQ((*answer.result)->text, "    out = [x + 1 for x in xs]");
}

TEST(Refactor, WhatDoesNotParseIsNothing) {
  EXPECT_NE(refactor("out = [x + 1 for x in").error().find("nothing sound"), std::string::npos);
}

TEST(Refactor, WhatSaysTheSameIsNothing) {
  EXPECT_NE(refactor("out = []\nfor x in xs:\n    out.append(x + 1)").error().find("nothing sound"), std::string::npos);
}

TEST(Refactor, WithoutAnAdapterThereIsNone) {
  const Rig rig(test::hashed_script());
  Answer<TextEdit> answer;
  rig.service->refactor(Rig::document(kText), place_in(kText), answer.done());
  EXPECT_NE(answer.error().find("weft adapters add"), std::string::npos);
}

TEST(Refactor, ARangeOutsideOfTheDocumentIsRefused) {
  const Rig rig(test::hashed_script());
  rig.install("tidy", "refactor");
  Answer<TextEdit> answer;
  rig.service->refactor(Rig::document("x = 1\n"), {{2, 99}, "list-comprehension", ""}, answer.done());
  EXPECT_NE(answer.error().find("outside"), std::string::npos);
}

TEST(Refactor, StatementsWithAKeyAreLeftAlone) {
  const Rig rig(test::hashed_script());
  rig.install("tidy", "refactor");
  const std::string text = "password = 'hunter2hunter2hunter2'\n";
  Answer<TextEdit> answer;
  rig.service->refactor(Rig::document(text), {{0, text.size() - 1}, "list-comprehension", ""}, answer.done());
  EXPECT_NE(answer.error().find("key"), std::string::npos) << answer.error();
  EXPECT_EQ(rig.runner->steps(), 0U);
}

TEST(Refactor, CancelledAnswersOnce) {
  const Rig rig(test::hashed_script(), {{"tidy", replying("out = [x + 1 for x in xs]")}});
  rig.install("tidy", "refactor");
  Answer<TextEdit> answer;
  const RequestId id = rig.service->refactor(Rig::document(kText), place_in(kText), answer.done());
  rig.engine->poll();
  rig.service->cancel(id);
  rig.run();
  EXPECT_EQ(answer.error(), "cancelled");
}

}  // namespace
}  // namespace weft::adapters
