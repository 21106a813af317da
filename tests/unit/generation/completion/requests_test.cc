// Requests over time: typing, cancelling, secrets, the cache.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

using test::by_heart_script;
using test::reply_script;
using test::request_at;
using test::Rig;

std::string many_lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("name{} = {}\n", i % 10, i % 7);
  return text;
}

TEST(Typing, ThroughASuggestionIsAnsweredAtOnce) {
  const Rig rig(reply_script("return a + b\n"));
  EXPECT_EQ(rig.text_at("def f(a, b):\n    ^\n"), "return a + b");
  const std::size_t steps = rig.runner->steps();
  const std::string whole = "return a + b";
  for (std::size_t typed = 1; typed < whole.size(); ++typed) {
    const auto result = rig.complete(request_at("def f(a, b):\n    " + whole.substr(0, typed) + "^\n"));
    ASSERT_EQ(result.items.size(), 1U) << typed;
    EXPECT_EQ(result.items[0].text, whole.substr(typed));
    EXPECT_EQ(result.items[0].replace_begin, 17 + typed);
    EXPECT_TRUE(result.timings.from_cache);
  }
  EXPECT_EQ(rig.runner->steps(), steps);
}

TEST(Typing, SomethingElseIsNeverAnsweredFromTheCache) {
  const Rig rig(reply_script("return a\n"));
  const std::string before = "def f(a):\n    ";
  EXPECT_EQ(rig.text_at(before + "^\n"), "return a");
  const std::vector<std::string> others = {
      before + "rex^\n",        // other characters
      before + "return a^\n",   // all of it
      "def f(b):\n    re^\n",   // another text before
      before + "re^\nx = 1\n",  // another text after
      before + "^re\n",         // typed behind the cursor
  };
  for (const std::string& other : others) {
    EXPECT_FALSE(rig.complete(request_at(other)).timings.from_cache) << other;
  }
  EXPECT_FALSE(rig.complete(request_at(before + "re^\n", "other.py")).timings.from_cache);
  EXPECT_TRUE(rig.complete(request_at(before + "re^\n")).timings.from_cache);
}

TEST(Typing, OnlySoManySuggestionsAreKept) {
  CompletionOptions options;
  options.cache_entries = 2;
  const Rig rig(reply_script("12\n"), options);
  for (const char* text : {"a = ^\n", "b = ^\n", "a = ^\n", "c = ^\n"}) rig.text_at(text);
  EXPECT_TRUE(rig.complete(request_at("a = 1^\n")).timings.from_cache);
  EXPECT_TRUE(rig.complete(request_at("c = 1^\n")).timings.from_cache);
  EXPECT_FALSE(rig.complete(request_at("b = 1^\n")).timings.from_cache);
}

TEST(Typing, AskingByHandLooksForMoreThanTypingFound) {
  const Rig rig(reply_script("12\n"));
  rig.text_at("a = ^\n");
  CompletionRequest request = request_at("a = ^\n");
  request.trigger = Trigger::kInvoked;
  EXPECT_FALSE(rig.complete(request).timings.from_cache);
  EXPECT_TRUE(rig.complete(request).timings.from_cache);
}

TEST(Typing, PrefillsOnlyWhatIsNew) {
  CompletionOptions options;
  options.cache_entries = 0;
  const Rig rig(by_heart_script(""), options, model::FimLayout::kSpm);
  const std::string head = many_lines(200), typed = "value = name1\nother = 2\n", tail = "\n" + many_lines(50);
  std::size_t large = 0, prefilled_by_the_rest = 0;
  for (std::size_t i = 0; i <= typed.size(); ++i) {
    const auto result = rig.complete(request_at(head + typed.substr(0, i) + "^" + tail));
    EXPECT_GT(result.timings.prompt_tokens, 250U);
    if (i == 0) continue;
    if (result.timings.prefilled_tokens > 4)
      ++large;
    else
      prefilled_by_the_rest += result.timings.prefilled_tokens;
  }
  EXPECT_LE(large, 1U);  // the window may have moved once
  EXPECT_LE(prefilled_by_the_rest, 2 * typed.size());
}

TEST(Typing, InALongLinePrefillsOnlyWhatIsNewMostly) {
  CompletionOptions options;
  options.cache_entries = 0;
  const Rig rig(by_heart_script(""), options, model::FimLayout::kSpm);
  const std::string head(20000, 'a');
  std::size_t large = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto result = rig.complete(request_at(head + std::string(i, 'b') + "^"));
    if (i > 0 && result.timings.prefilled_tokens > 4) ++large;
  }
  EXPECT_LE(large, 2U);
}

TEST(Secrets, FilesNeverReachTheEngine) {
  const Rig rig(reply_script("x\n"));
  for (const char* path : {".env", "home/.ssh/id_rsa", "home/.aws/credentials"}) {
    const auto result = rig.complete(request_at("PASSWORD=hunter2^\n", path));
    EXPECT_TRUE(result.items.empty());
    EXPECT_EQ(result.reason, "secret file") << path;
  }
  EXPECT_EQ(rig.runner->steps(), 0U);
}

TEST(Secrets, KeysInATextAreMaskedOnBothSides) {
  const std::string key =
      "AKIA"
      "QWERTZUIOPASDFGH";
  const Rig rig(reply_script("x\n"));
  rig.text_at("key = '" + key + "'\ny = ^\nother = '" + key + "'\n");
  EXPECT_EQ(rig.seen().find("QWERTZ"), std::string::npos);
  EXPECT_NE(rig.seen().find("other = "), std::string::npos);
}

TEST(Secrets, AKeyAcrossTheCursorIsMaskedToo) {
  const Rig rig(reply_script("x\n"));
  rig.text_at("key = 'AKIAQWERTZ^UIOPASDFGH'\n");
  EXPECT_EQ(rig.seen().find("QWERTZ"), std::string::npos);
  EXPECT_EQ(rig.seen().find("UIOPAS"), std::string::npos);
  EXPECT_NE(rig.seen().find("key = "), std::string::npos);
}

TEST(Secrets, AScreenMayChangeTheLengthOfTheText) {
  CompletionOptions options;
  options.screen = [](std::string_view, std::string_view text) -> Expected<std::string> {
    std::string out;
    for (std::size_t at; (at = text.find("secret")) != std::string_view::npos; text.remove_prefix(at + 6)) {
      out.append(text.substr(0, at)).push_back('-');
    }
    out.append(text);
    return out;
  };
  const Rig rig(reply_script("x\n"), options);
  EXPECT_EQ(rig.text_at("secret = 1\ny = ^\nz = secret\n"), "x");
  EXPECT_NE(rig.seen().find("- = 1\ny = \nz = -\n"), std::string::npos);
}

TEST(Secrets, TheCallersOwnRulesComeFirst) {
  CompletionOptions options;
  std::vector<std::string> shown;
  options.screen = [&shown](std::string_view path, std::string_view text) -> Expected<std::string> {
    if (path == "private.py") return make_error("{} is private", path);
    shown.emplace_back(text);
    return std::string(text.size(), '?');
  };
  const Rig rig(reply_script("x\n"), options);
  EXPECT_EQ(rig.text_at("a = ^\n", "private.py"), "<secret file>");
  EXPECT_TRUE(shown.empty());
  EXPECT_EQ(rig.text_at("a = ^\n"), "x");
  EXPECT_NE(std::ranges::find(shown, "a = \n"), shown.end());
  EXPECT_EQ(rig.seen().find('a'), std::string::npos);
}

struct Answers {
  std::size_t count = 0, cancelled = 0, failed = 0;
  CompletionService::Done sink() {
    return [this](Expected<CompletionResult> result) {
      ++count;
      if (!result)
        ++failed;
      else if (result->cancelled)
        ++cancelled;
    };
  }
};

TEST(Cancel, AnswersExactlyOnceWheneverItComes) {
  for (const Trigger trigger : {Trigger::kAutomatic, Trigger::kInvoked}) {
    for (std::size_t steps = 0; steps < 40; ++steps) {
      const Rig rig(reply_script("some text\n"));
      Answers answers;
      CompletionRequest request = request_at("x = ^\n");
      request.trigger = trigger;
      const RequestId id = rig.service->complete(request, answers.sink());
      for (std::size_t i = 0; i < steps; ++i) rig.engine->poll();
      const std::size_t done_before = answers.count;
      rig.service->cancel(id);
      rig.service->cancel(id);
      while (rig.engine->poll()) {
      }
      ASSERT_EQ(answers.count, 1U) << steps;
      EXPECT_EQ(answers.cancelled, done_before == 0 ? 1U : 0U) << steps;
    }
  }
}

TEST(Cancel, OfUnknownRequestsIsIgnored) {
  const Rig rig(reply_script("x\n"));
  rig.service->cancel(RequestId(17));
  EXPECT_EQ(rig.text_at("a = ^\n"), "x");
}

TEST(Cancel, HappensToAllWhenTheServiceGoes) {
  Rig rig(reply_script("some text\n"));
  Answers answers;
  rig.service->complete(request_at("x = ^\n"), answers.sink());
  rig.service->complete(request_at("y = ^\n"), answers.sink());
  rig.engine->poll();
  rig.service.reset();
  while (rig.engine->poll()) {
  }
  EXPECT_EQ(answers.count, 2U);
  EXPECT_EQ(answers.cancelled, 2U);
}

TEST(Cancel, HappensToAllWhenTheEngineGoesToo) {
  Answers answers;
  {
    const Rig rig(reply_script("some text\n"));
    rig.service->complete(request_at("x = ^\n"), answers.sink());
  }
  EXPECT_EQ(answers.count, 1U);
  EXPECT_EQ(answers.cancelled, 1U);
}

TEST(Cancel, FromAnyThreadAnswersOnce) {
  const auto clock = std::make_shared<test::FakeClock>();
  const auto runner = std::make_shared<test::FakeRunner>(reply_script("some text\n"));
  std::atomic<std::size_t> answers = 0;
  {
    const auto engine = std::make_shared<Engine>(runner, std::make_shared<test::ByteTokenizer>(), clock,
                                                 EngineOptions{.threads = 1, .queue_limit = 1000});
    CompletionService service(engine, test::fim_config(model::FimLayout::kPsm), clock, {});
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&service, &answers, t] {
        for (int i = 0; i < 30; ++i) {
          CompletionRequest request = request_at(fmt::format("y{} = ^\n", i), fmt::format("{}.py", t));
          request.trigger = i % 2 == 0 ? Trigger::kAutomatic : Trigger::kInvoked;
          const RequestId id = service.complete(std::move(request), [&answers](auto) { ++answers; });
          if (i % 3 != 0) service.cancel(id);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }  // the service cancels what is left, the engine finishes it
  EXPECT_EQ(answers, 90U);
}

TEST(Cancel, LeavesNothingInTheCache) {
  const Rig rig(reply_script("some text\n"));
  Answers answers;
  const RequestId id = rig.service->complete(request_at("x = ^\n"), answers.sink());
  for (int i = 0; i < 5; ++i) rig.engine->poll();
  rig.service->cancel(id);
  while (rig.engine->poll()) {
  }
  EXPECT_FALSE(rig.complete(request_at("x = ^\n")).timings.from_cache);
}

TEST(Requests, BeyondTheEnginesQueueFailAndAreAnswered) {
  const Rig rig(reply_script("x\n"));
  Answers answers;
  for (int i = 0; i < 100; ++i) rig.service->complete(request_at(fmt::format("x{} = ^\n", i)), answers.sink());
  while (rig.engine->poll()) {
  }
  EXPECT_EQ(answers.count, 100U);
  EXPECT_EQ(answers.failed, 36U);
}

}  // namespace
}  // namespace weft::generation
