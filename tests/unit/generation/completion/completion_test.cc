// What somebody who types notices of the suggestions.
#include "generation/completion/completion.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/word_tokenizer.h"
#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

using test::by_heart_script;
using test::reply_script;
using test::request_at;
using test::Rig;

TEST(Completion, StaysOnTheLineWhenTextFollowsTheCursor) {
  const Rig rig(reply_script("width, height\n    return 1\n"));
  EXPECT_EQ(rig.text_at("def f():\n    area(^)\n    done()\n"), "width, height");
}

TEST(Completion, DoesNotRepeatTheRestOfTheLine) {
  EXPECT_EQ(Rig(reply_script("x)\n")).text_at("print(^)\n"), "x");
  EXPECT_EQ(Rig(reply_script("f(x)\n")).text_at("print(^)\n"), "f(x)");
  EXPECT_EQ(Rig(reply_script("hello\")\n")).text_at("print(\"^\")\n"), "hello");
  EXPECT_EQ(Rig(reply_script("a, key=1)\n")).text_at("sort(^, key=1)\n"), "a");
  EXPECT_EQ(Rig(reply_script("== 3:\n")).text_at("if x ^:\n    pass\n"), "== 3");
  EXPECT_EQ(Rig(reply_script(", key=1)\n")).text_at("sort(a^, key=1)\n"), "<repeats the suffix>");
}

TEST(Completion, DoesNotRepeatTheFollowingLines) {
  const Rig rig(reply_script("a = 1\n    b = 2\n    return a + b\n"));
  EXPECT_EQ(rig.text_at("def f():\n    ^\n    b = 2\n    return a + b\n"), "a = 1");
  EXPECT_EQ(Rig(reply_script("return a\n")).text_at("def f(a):\n    ^\n    return a\n"), "<repeats the suffix>");
  EXPECT_EQ(Rig(reply_script("urn a\n")).text_at("def f(a):\n    ret^\n    return a\n"), "<repeats the next line>");
}

TEST(Completion, KeepsALineThatOnlyBeginsLikeTheNextOne) {
  const Rig rig(reply_script("b = 2\n    c = 3\n\n"));
  EXPECT_EQ(rig.text_at("def f():\n    ^\n    b = 2\n    return a + b\n"), "b = 2\n    c = 3");
}

TEST(Completion, EndsABlockAtTheDedent) {
  const Rig rig(reply_script("\n    x = 1\n    return x\ndef g():\n    pass\n"));
  EXPECT_EQ(rig.text_at("def f():^\n"), "\n    x = 1\n    return x");
  const Rig inner(reply_script("y()\n        z()\n    else:\n        w()\n"));
  EXPECT_EQ(inner.text_at("def f():\n    if x:\n        ^\n"), "y()\n        z()");
}

TEST(Completion, EndsABlockAtTheFirstBlankLine) {
  const Rig rig(reply_script("x = 1\n\n    y = 2\n"));
  EXPECT_EQ(rig.text_at("def f():\n    ^\n"), "x = 1");
}

TEST(Completion, FinishesAnUnfinishedStatementAndNoMore) {
  EXPECT_EQ(Rig(reply_script("a\n    b = 2\n")).text_at("def f():\n    return ^\n"), "a");
  EXPECT_EQ(Rig(reply_script("[\n        1,\n    ]\n    b = 2\n")).text_at("def f():\n    x = ^\n"),
            "[\n        1,\n    ]");
  EXPECT_EQ(Rig(reply_script("2,\n    3,\n")).text_at("x = [\n    1,\n    ^\n]\n"), "2,");
}

TEST(Completion, StaysOnTheLineInCommentsAndStrings) {
  EXPECT_EQ(Rig(reply_script("the sum\nx = 1\n")).text_at("# compute ^\n"), "the sum");
  EXPECT_EQ(Rig(reply_script("the sum.\n    More\n")).text_at("def f():\n    \"\"\"Return ^\n"), "the sum.");
}

TEST(Completion, OffersNoMoreLinesThanAllowed) {
  CompletionOptions options;
  options.max_lines = 2;
  options.max_new_tokens = 200;
  const Rig rig(reply_script("a = 1\n    b = 2\n    c = 3\n    d = 4\n"), options);
  EXPECT_EQ(rig.text_at("def f():\n    ^\n"), "a = 1\n    b = 2");
}

TEST(Completion, LeavesOutTheLineInWhichTheTokensRanOut) {
  CompletionOptions options;
  options.max_new_tokens = 14;
  EXPECT_EQ(Rig(reply_script("a = 1\n    bcdefgh = 2\n"), options).text_at("def f():\n    ^\n"), "a = 1");
  EXPECT_EQ(Rig(reply_script("abcdefghijklmnopqrst\n"), options).text_at("def f():\n    ^\n"), "abcdefghijklmn");
}

TEST(Completion, SaysWhyThereIsNothing) {
  EXPECT_EQ(Rig(reply_script("")).text_at("x = ^\n"), "<empty>");
  EXPECT_EQ(Rig(reply_script("   \n")).text_at("def f():\n    x = ^\n"), "<empty>");
  EXPECT_EQ(Rig(reply_script(")\n")).text_at("x = 1^\n"), "<unbalanced brackets>");
}

TEST(Completion, DropsBlanksAtTheEndAndDoubleBlanksAtTheBeginning) {
  EXPECT_EQ(Rig(reply_script(" 1  \n")).text_at("x = ^\n"), "1");
  EXPECT_EQ(Rig(reply_script(" 1  \n")).text_at("x =^\n"), " 1");
}

TEST(Completion, WorksInAnEmptyDocument) { EXPECT_EQ(Rig(reply_script("import os\n")).text_at("^"), "import os"); }

TEST(Completion, KeepsTheDocumentsLineEnds) {
  const Rig rig(reply_script("x = 1\n    return x\n\n"));
  const auto result = rig.complete(request_at("def f():\r\n    ^\r\n"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].text, "x = 1\r\n    return x");
  EXPECT_EQ(rig.seen().find('\r'), std::string::npos);
}

TEST(Completion, InsertsBeforeALineEndOfTwoBytes) {
  const Rig rig(reply_script("1\n"));
  const auto result = rig.complete(request_at("x = \r^\ny = 2\r\n"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].replace_begin, 4U);
  EXPECT_EQ(result.items[0].replace_end, 4U);
}

TEST(Completion, TakesCursorsBetweenAnyTwoCharacters) {
  const Rig rig(reply_script("é = '→'\n"));
  const std::string text = "# naïve 🙂 ünïcode\nx";
  for (std::size_t cursor = 0; cursor <= text.size(); ++cursor) {
    CompletionRequest request;
    request.document = {"work.py", "", std::make_shared<const std::string>(text), 1};
    request.cursor = cursor;
    const auto result = rig.service->complete_now(request);
    const bool inside = cursor < text.size() && (static_cast<unsigned char>(text[cursor]) & 0xC0) == 0x80;
    ASSERT_EQ(result.has_value(), !inside) << cursor;
    if (result) continue;
    EXPECT_EQ(result.error().message, fmt::format("cursor {} in work.py is inside a character", cursor));
  }
}

TEST(Completion, RefusesWhatIsNoPlace) {
  const Rig rig(reply_script("x"));
  CompletionRequest request = request_at("x = ^");
  request.cursor = 9;
  auto result = rig.service->complete_now(request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "cursor 9 is past the end of work.py, which has 4 bytes");
  request.document.text = nullptr;
  EXPECT_FALSE(rig.service->complete_now(request));
}

TEST(Completion, WorksInAHugeFileOfOneLine) {
  std::string line(1 << 20, 'a');
  for (std::size_t i = 0; i < line.size(); i += 7) line[i] = ' ';
  const Rig rig(reply_script("tail\n"));
  const auto result = rig.complete(request_at(line + "^"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_LE(result.timings.prompt_tokens, CompletionOptions{}.prompt_budget_tokens);
}

TEST(Completion, GoesByIndentationInOtherLanguages) {
  const Rig rig(reply_script("return 1;\n}\nint g() {\n"));
  EXPECT_EQ(rig.text_at("int f() {\n  ^\n}\n", "a.c"), "return 1;");
}

TEST(Completion, NamesTheModelAndFillsTheTimings) {
  const Rig rig(reply_script("12\n"));
  const auto result = rig.complete(request_at("x = ^\n"));
  EXPECT_EQ(result.model, "fake-model");
  EXPECT_EQ(result.timings.prompt_tokens, 8U);  // three of fim, four before the cursor, one after it
  EXPECT_EQ(result.timings.prefilled_tokens, 8U);
  EXPECT_EQ(result.timings.generated_tokens, 3U);
  EXPECT_FALSE(result.timings.from_cache);
  EXPECT_LT(result.items[0].score, 0);
}

TEST(Completion, ReportsTheFailureOfTheModel) {
  const Rig rig(reply_script("12\n"));
  rig.runner->fail_at(0);
  const auto result = rig.service->complete_now(request_at("x = ^\n"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the device is gone");
  EXPECT_EQ(rig.text_at("x = ^\n"), "12");
}

TEST(Completion, TellsTheModelWhatStandsOnBothSides) {
  for (const auto layout : {model::FimLayout::kPsm, model::FimLayout::kSpm}) {
    const Rig rig(by_heart_script("def area(w, h):\n    return w * h\n"), {}, layout);
    EXPECT_EQ(rig.text_at("def area(w, h):\n    re^\n\nprint(area(1, 2))\n"), "turn w * h");
    EXPECT_EQ(rig.runner->broken_plans(), 0U);
  }
}

// "pri" and "print" are one token each to the model, which has learnt the second alone.
TEST(Completion, FinishesTheWordThatTheCursorIsIn) {
  const auto tokenizer = std::make_shared<test::WordTokenizer>(std::vector<std::string>{"pri", "print", "print(x)"});
  const Rig rig(
      [&](std::span<const TokenId> history) {
        std::vector<float> logits(tokenizer->vocabulary(), 0.0F);
        const std::string text = tokenizer->decode(history);
        logits['?'] = 5;
        if (text.ends_with("y = ")) logits[tokenizer->vocabulary() - 1] = 10;
        if (text.ends_with("print(x)")) logits[static_cast<std::size_t>(test::ByteTokenizer::kEndOfText.value())] = 10;
        return logits;
      },
      {}, model::FimLayout::kSpm, tokenizer);
  for (const Trigger trigger : {Trigger::kAutomatic, Trigger::kInvoked}) {
    auto request = request_at("y = pri^");
    request.trigger = trigger;
    const auto result = rig.complete(request);
    ASSERT_EQ(result.items.size(), 1U) << result.reason;
    EXPECT_EQ(result.items[0].text, "nt(x)");
    EXPECT_EQ(result.items[0].replace_begin, 7U);
  }
}

TEST(Completion, OffersSeveralCandidatesWhenAsked) {
  // Any letter is as good as any other, so that sampled candidates differ.
  const Rig rig([](std::span<const TokenId> history) {
    std::vector<float> logits(test::ByteTokenizer::kVocabulary, -50.0F);
    const bool fresh = history.back() == test::ByteTokenizer::kFimMiddle;
    if (!fresh) logits['\n'] = 10.0F;
    for (char c = 'a'; c <= 'z' && fresh; ++c) logits[static_cast<std::size_t>(c)] = c == 'q' ? 1.0F : 0.5F;
    return logits;
  });
  CompletionRequest request = request_at("x = ^\n");
  request.trigger = Trigger::kInvoked;
  const auto first = rig.complete(request);
  EXPECT_EQ(first.items.size(), 3U);
  EXPECT_EQ(first.items[0].text, "q");
  for (std::size_t i = 0; i < first.items.size(); ++i) {
    for (std::size_t j = i + 1; j < first.items.size(); ++j) EXPECT_NE(first.items[i].text, first.items[j].text);
  }
}

TEST(Completion, OffersTheSameTextOnce) {
  const Rig rig(reply_script("1\n"));
  CompletionRequest request = request_at("x = ^\n");
  request.trigger = Trigger::kInvoked;
  EXPECT_EQ(rig.complete(request).items.size(), 1U);
}

TEST(Completion, WaitsForAnEngineWithItsOwnThread) {
  const auto clock = std::make_shared<test::FakeClock>();
  const auto runner = std::make_shared<test::FakeRunner>(reply_script("1\n"));
  const auto engine =
      std::make_shared<Engine>(runner, std::make_shared<test::ByteTokenizer>(), clock, EngineOptions{.threads = 1});
  CompletionService service(engine, test::fim_config(model::FimLayout::kPsm), clock, {});
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&service, &answered, t] {
      for (int i = 0; i < 20; ++i) {
        CompletionRequest request = request_at(fmt::format("y{} = ^\n", i), fmt::format("{}.py", t));
        const auto result = service.complete_now(request);
        if (result && result->items.size() == 1 && result->items[0].text == "1") ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 80);
}

// Likes blanks best, then 'x', which is all it has to say.
test::Script blank_script() {
  return [](std::span<const TokenId> history) {
    std::vector<float> logits(test::ByteTokenizer::kVocabulary, 0.0F);
    logits[' '] = 3;
    logits['x'] = 2;
    if (history.back() == test::byte_token('x')) logits[test::ByteTokenizer::kEndOfText.value()] = 4;
    return logits;
  };
}

TEST(Indentation, OfALineIsNotAddedTo) {
  EXPECT_EQ(Rig(blank_script()).text_at("def f():\n    y = 2\n    ^\n"), "x");
  EXPECT_EQ(Rig(blank_script()).text_at("def f():\n    if y:\n        ^\n"), "x");
}

TEST(Indentation, IsAddedWhereABlockWasOpenedOrNobodyChoseOne) {
  EXPECT_EQ(Rig(blank_script()).text_at("def f():\n    if y:\n    ^\n"), "<repeats itself>");
  EXPECT_EQ(Rig(blank_script()).text_at("def f():\n^\n"), "<repeats itself>");
}

}  // namespace
}  // namespace weft::generation
