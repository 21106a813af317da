#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/adapters/actions/rig.h"

namespace weft::adapters {
namespace {

using test::Answer;
using test::Rig;
using Functions = std::vector<GeneratedFunction>;

constexpr std::string_view kPrompt = "# add two numbers\n";
constexpr std::string_view kFunction = "def add(a, b):\n    return a + b";

Expected<Functions> generate(const Rig& rig, const std::string& text, const FunctionRequestPlace& place,
                             const std::string& path = "work.py") {
  Answer<Functions> answer;
  rig.service->generate_function(Rig::document(text, path), place, answer.done());
  rig.run();
  EXPECT_TRUE(answer.result.has_value());
  return std::move(*answer.result);
}

TEST(GenerateFunction, TheBestCandidateIsWhatTheModelSays) {
  const Rig rig(test::answering(std::string(kPrompt), std::string(kFunction) + "\n\n\nprint(1)\n"));
  const auto found = generate(rig, "", place_of_description("add two numbers"));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_FALSE(found->empty());
  EXPECT_EQ(found->front().code, kFunction);
  EXPECT_TRUE(found->front().parses);
  EXPECT_LT(found->front().score, 0);
  for (std::size_t i = 0; i < found->size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE((*found)[i].code, (*found)[j].code);
  }
}

// The model is a little surer of the line that does not parse.
TEST(GenerateFunction, WhatParsesComesBeforeWhatTheModelPrefers) {
  const std::string bad = "def f(:\n    return 1", good = "def f():\n    return 1";
  const Rig rig([=](std::span<const TokenId> history) {
    std::string said = test::ByteTokenizer().decode(history);
    said.erase(0, said.find(kPrompt) + kPrompt.size());
    if (said == "def f(") {
      auto logits = test::leaning_to(test::byte_token(':'), 10.0F);
      logits[')'] = 9.0F;
      return logits;
    }
    const std::string& text = bad.starts_with(said) ? bad : good;
    return test::leaning_to(
        said.size() < text.size() ? test::byte_token(text[said.size()]) : test::ByteTokenizer::kEndOfText, 20.0F);
  });
  const auto found = generate(rig, "", place_of_description("add two numbers"));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_GE(found->size(), 2U);
  EXPECT_EQ((*found)[0].code, good);
  EXPECT_TRUE((*found)[0].parses);
  const auto broken = std::ranges::find(*found, bad, &GeneratedFunction::code);
  ASSERT_NE(broken, found->end());
  EXPECT_FALSE(broken->parses);
  EXPECT_GT(broken->score, (*found)[0].score);
}

TEST(GenerateFunction, InADocumentWithTheDocumentsLineEnds) {
  const std::string text = "import os\r\n\r\n\r\ndef double(x):\r\n\r\n";
  const auto* python = generation::find_language("python", "");
  const auto place = find_function_request(*python, text, text.find("double"));
  ASSERT_TRUE(place);
  const Rig rig(test::answering("def double(x):\n", "    y = 2 * x\n    return y\nx = 1\n"));
  const auto found = generate(rig, text, *place);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_FALSE(found->empty());
  EXPECT_EQ(found->front().code, "def double(x):\r\n    y = 2 * x\r\n    return y");
}

TEST(GenerateFunction, ByTheAdapterWhereThereIsOne) {
  const Rig rig(test::answering(std::string(kPrompt), "def base():\n    pass"),
                {{"writer", test::answering(std::string(kPrompt), std::string(kFunction))}});
  rig.install("writer", "function-from-comment");
  const auto found = generate(rig, "", place_of_description("add two numbers"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->front().code, kFunction);
}

// It has learnt how functions begin, and that some do not with "def".
TEST(GenerateFunction, AnAdaptersFirstTokenIsItsOwn) {
  const std::string function = "async def add(a, b):\n    return a + b";
  const Rig rig(test::answering(std::string(kPrompt), "def base():\n    pass"),
                {{"writer", test::answering(std::string(kPrompt), function)}});
  rig.install("writer", "function-from-comment");
  const auto found = generate(rig, "", place_of_description("add two numbers"));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_FALSE(found->empty());
  EXPECT_EQ(found->front().code, function);
}

TEST(GenerateFunction, ASecretFileIsNotRead) {
  const Rig rig(test::hashed_script());
  const auto found = generate(rig, "", place_of_description("x"), "/home/me/.ssh/config.py");
  ASSERT_FALSE(found);
  EXPECT_EQ(rig.runner->steps(), 0U);
}

TEST(GenerateFunction, KeysAreMaskedBeforeTheModelSeesThem) {
  FunctionRequestPlace place = place_of_description("add two numbers");
  place.context = "DB_PASSWORD = 'p4ssw0rdQz81'";
  const Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  const auto found = generate(rig, "", place);
  ASSERT_TRUE(found) << found.error().message;
  std::string seen;
  for (const model::StepPlan& plan : rig.runner->plans()) {
    for (const auto& part : plan.sequences) seen += test::ByteTokenizer().decode(part.tokens);
  }
  EXPECT_EQ(seen.find("p4ssw0rd"), std::string::npos);
  EXPECT_NE(seen.find("***"), std::string::npos);
}

TEST(GenerateFunction, ALongContextLosesItsBeginning) {
  FunctionRequestPlace place = place_of_description("add two numbers");
  for (int i = 0; i < 2000; ++i) place.context += "first = 'a line'\n";
  place.context += "last = 'a line'\n";
  const Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  const auto found = generate(rig, "", place);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->front().code, kFunction);
}

TEST(GenerateFunction, ADescriptionThatIsTooLongIsRefused) {
  const Rig rig(test::hashed_script());
  const auto found = generate(rig, "", place_of_description(std::string(100'000, 'x')));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("tokens"), std::string::npos) << found.error().message;
}

TEST(GenerateFunction, WithoutAGrammarThereIsNone) {
  const Rig rig(test::hashed_script());
  EXPECT_FALSE(generate(rig, "", place_of_description("x"), "notes.txt"));
}

TEST(GenerateFunction, CancelledOnceAndForAll) {
  const Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  Answer<Functions> answer;
  const RequestId id =
      rig.service->generate_function(Rig::document(""), place_of_description("add two numbers"), answer.done());
  rig.engine->poll();
  rig.service->cancel(id);
  rig.service->cancel(RequestId(99));
  rig.run();
  EXPECT_EQ(answer.error(), "cancelled");
}

TEST(GenerateFunction, TheEnginesFaultIsTold) {
  const Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  rig.runner->fail_at(0, "the device is gone");
  Answer<Functions> answer;
  rig.service->generate_function(Rig::document(""), place_of_description("add two numbers"), answer.done());
  rig.run();
  EXPECT_EQ(answer.error(), "the device is gone");
}

TEST(GenerateFunction, AServiceThatEndsAnswers) {
  Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  Answer<Functions> answer;
  rig.service->generate_function(Rig::document(""), place_of_description("add two numbers"), answer.done());
  rig.engine->poll();
  rig.service.reset();
  rig.run();
  EXPECT_EQ(answer.error(), "cancelled");
}

TEST(GenerateFunction, AnEngineThatEndsAnswers) {
  Rig rig(test::answering(std::string(kPrompt), std::string(kFunction)));
  Answer<Functions> answer;
  rig.service->generate_function(Rig::document(""), place_of_description("add two numbers"), answer.done());
  rig.service.reset();
  rig.registry.reset();
  rig.engine.reset();
  EXPECT_EQ(answer.error(), "cancelled");
}

}  // namespace
}  // namespace weft::adapters
