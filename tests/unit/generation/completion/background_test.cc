// What goes on when an answer has been given: the rest of a suggestion that was cut at the deadline, and what follows
// one that is accepted.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

using test::by_heart_script;
using test::FakeClock;
using test::reply_script;
using test::request_at;
using test::Rig;
using test::Script;

constexpr auto kStep = std::chrono::milliseconds(50);

// Each step takes 50 ms.
struct SlowRig {
  explicit SlowRig(Script script)
      : rig(std::move(script), {}, model::FimLayout::kPsm, std::make_shared<test::ByteTokenizer>(),
            [clock = clock] { clock->advance(kStep); }) {
    rig.service = std::make_unique<CompletionService>(rig.engine, test::fim_config(model::FimLayout::kPsm), clock,
                                                      editor_options());
  }
  void run() const {
    while (rig.engine->poll()) {
    }
  }
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  Rig rig;
};

const std::string kReply = "x = 1\n    y = 2\n    return x\n\n";

TEST(Deadline, AnswersWithTheLinesThatAreFinished) {
  const SlowRig slow(reply_script(kReply));
  const auto result = slow.rig.complete(request_at("def f():\n    ^\n"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].text, "x = 1");
  EXPECT_TRUE(result.partial);
  EXPECT_LT(result.timings.total_ms, 400);
}

TEST(Deadline, UntilThenAllLinesAreAwaited) {
  const Rig rig(reply_script(kReply), editor_options());
  const auto result = rig.complete(request_at("def f():\n    ^\n"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].text, "x = 1\n    y = 2\n    return x");
  EXPECT_FALSE(result.partial);
}

TEST(Deadline, WaitsForTheFirstLine) {
  const SlowRig slow(reply_script("a_name_of_many_characters = 1\n    y = 2\n\n"));
  const auto result = slow.rig.complete(request_at("def f():\n    ^\n"));
  ASSERT_EQ(result.items.size(), 1U);
  EXPECT_EQ(result.items[0].text, "a_name_of_many_characters = 1");
  EXPECT_GT(result.timings.total_ms, 1000);
}

TEST(Deadline, TheRestIsThereAtTheNextKey) {
  const SlowRig slow(reply_script(kReply));
  slow.rig.complete(request_at("def f():\n    ^\n"));
  slow.run();
  const std::size_t steps = slow.rig.runner->steps();
  const auto next = slow.rig.complete(request_at("def f():\n    x ^\n"));
  EXPECT_TRUE(next.timings.from_cache);
  ASSERT_EQ(next.items.size(), 1U);
  EXPECT_EQ(next.items[0].text, "= 1\n    y = 2\n    return x");
  EXPECT_EQ(slow.rig.runner->steps(), steps);
}

TEST(Deadline, TheKeyMeanwhileIsAnsweredFromTheFirstLinesAndDoesNotEndTheRest) {
  const SlowRig slow(reply_script(kReply));
  std::size_t answers = 0;
  const RequestId first =
      slow.rig.service->complete(request_at("def f():\n    ^\n"), [&answers](const auto&) { ++answers; });
  while (answers == 0) slow.rig.engine->poll();
  const auto next = slow.rig.complete(request_at("def f():\n    x^\n"));
  EXPECT_EQ(next.items.at(0).text, " = 1");
  slow.rig.service->cancel(first);  // as an editor does with what is superseded
  slow.run();
  EXPECT_EQ(answers, 1U);
  EXPECT_EQ(slow.rig.complete(request_at("def f():\n    x ^\n")).items.at(0).text, "= 1\n    y = 2\n    return x");
}

TEST(Deadline, AnotherWayEndsTheRest) {
  const SlowRig slow(reply_script(kReply));
  slow.rig.complete(request_at("def f():\n    ^\n"));
  slow.rig.complete(request_at("def f():\n    z^\n"));
  slow.run();
  EXPECT_FALSE(slow.rig.complete(request_at("def f():\n    x = 1\n    y^\n")).timings.from_cache);
}

TEST(Deadline, DoesNotHurryWhoAsked) {
  const SlowRig slow(reply_script(kReply));
  CompletionRequest request = request_at("def f():\n    ^\n");
  request.trigger = Trigger::kInvoked;
  EXPECT_EQ(slow.rig.complete(request).items.at(0).text, "x = 1\n    y = 2\n    return x");
}

CompletionOptions continuing() {
  CompletionOptions options;
  options.continues_accepted = true;
  return options;
}

const std::string kByHeart = "def area(w, h):\n    size = w * h\n    return size\n";

TEST(Continuation, OfAnAcceptedSuggestionIsThereAtOnce) {
  const Rig rig(by_heart_script(kByHeart), continuing());
  const auto offered = rig.complete(request_at("def are^\n"));
  ASSERT_EQ(offered.items.size(), 1U);
  EXPECT_EQ(offered.items[0].text, "a(w, h):");
  while (rig.engine->poll()) {
  }
  const std::size_t steps = rig.runner->steps();
  const auto next = rig.complete(request_at("def area(w, h):^\n"));
  EXPECT_TRUE(next.timings.from_cache);
  ASSERT_EQ(next.items.size(), 1U);
  EXPECT_EQ(next.items[0].text, "\n    size = w * h\n    return size");
  // Enter, and the indentation that the editor puts there.
  EXPECT_EQ(rig.complete(request_at("def area(w, h):\n    ^\n")).items.at(0).text, "size = w * h\n    return size");
  EXPECT_EQ(rig.runner->steps(), steps);
}

TEST(Continuation, EndsWhenSomethingElseIsTyped) {
  const Rig rig(by_heart_script(kByHeart), continuing());
  rig.complete(request_at("def are^\n"));
  rig.complete(request_at("x = 1^\n"));
  while (rig.engine->poll()) {
  }
  EXPECT_FALSE(rig.complete(request_at("def area(w, h):^\n")).timings.from_cache);
}

TEST(Continuation, IsNotAskedForUnlessWanted) {
  const Rig rig(by_heart_script(kByHeart));
  rig.complete(request_at("def are^\n"));
  const std::size_t steps = rig.runner->steps();
  while (rig.engine->poll()) {
  }
  EXPECT_EQ(rig.runner->steps(), steps);
}

TEST(Continuation, EndsWithTheService) {
  Rig rig(by_heart_script(kByHeart), continuing());
  rig.complete(request_at("def are^\n"));
  rig.service.reset();
  while (rig.engine->poll()) {
  }
  EXPECT_EQ(rig.runner->broken_plans(), 0U);
}

}  // namespace
}  // namespace weft::generation
