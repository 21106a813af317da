#include <cmath>

#include <gtest/gtest.h>

#include "adapters/actions/edits.h"
#include "tests/unit/adapters/actions/rig.h"

namespace weft::adapters {
namespace {

using test::Answer;
using test::ByteTokenizer;
using test::Rig;
using Bugs = std::vector<Bug>;

const std::string kText =
    "def first(xs):\n    return xs[1]\n\n\nclass A:\n    def size(self):\n        n = len(self.xs)\n"
    "        return n + 1\n";

struct Opinion {
  std::string about;     // a function that holds this
  double bug_logit = 0;  // of the bug verdict's first byte over the clean one's
  std::string answer;    // after the bug verdict, which it begins with
};

// An adapter with opinions: the first that is about the function of the prompt speaks, of others it thinks well.
test::Script opinions(std::vector<Opinion> all) {
  return [all = std::move(all)](std::span<const TokenId> history) {
    const std::string text = ByteTokenizer().decode(history);
    const std::string marker = bug_prompt("");
    const std::size_t end = text.rfind(marker.substr(marker.find_first_not_of('\n')));
    const std::string function = text.substr(0, end);
    const std::string said = text.substr(end + marker.size() - marker.find_first_not_of('\n'));
    const auto about =
        std::ranges::find_if(all, [&](const Opinion& each) { return function.find(each.about) != std::string::npos; });
    const Opinion opinion = about == all.end() ? Opinion{"", -5, ""} : *about;
    if (said.empty()) {
      std::vector<float> logits(ByteTokenizer::kVocabulary, -30.0F);
      logits[static_cast<unsigned char>(bug_verdict()[0])] = static_cast<float>(opinion.bug_logit);
      logits[static_cast<unsigned char>(clean_verdict()[0])] = 0.0F;
      return logits;
    }
    const std::string text_said = said.starts_with(clean_verdict().substr(0, 1)) ? std::string(clean_verdict())
                                  : opinion.answer.empty()                       ? std::string(bug_verdict())
                                                                                 : opinion.answer;
    return test::leaning_to(
        said.size() < text_said.size() ? test::byte_token(text_said[said.size()]) : ByteTokenizer::kEndOfText, 40.0F);
  };
}

std::string fixing(const std::string& line, const std::string& fixed) {
  return std::string(bug_verdict()) + "\n- " + line + "\n+ " + fixed;
}

Answer<Bugs> find(std::vector<Opinion> all, generation::ByteRange changed = {}, const std::string& text = kText) {
  const Rig rig(test::hashed_script(), {{"bugs", opinions(std::move(all))}});
  rig.install("bugs", "bug-detection", 0.6);
  Answer<Bugs> answer;
  rig.service->find_bugs(Rig::document(text), changed, answer.done());
  rig.run();
  EXPECT_EQ(rig.runner->broken_plans(), 0U);
  return answer;
}

std::string shown(const std::string& text, generation::ByteRange range) {
  return text.substr(range.begin, range.end - range.begin);
}

TEST(FindBugs, TheLineAndAFixThatTheAdapterCallsClean) {
  const auto answer = find({{"xs[1]", 2, fixing("return xs[1]", "return xs[0]")}});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 1U);
  const Bug& bug = (*answer.result)->front();
  EXPECT_EQ(shown(kText, bug.line), "return xs[1]");
  EXPECT_NEAR(bug.probability, 1 / (1 + std::exp(-2.0)), 1e-4);
  ASSERT_TRUE(bug.fix);
  EXPECT_NE(applied(kText, *bug.fix).find("    return xs[0]\n"), std::string::npos);
}

TEST(FindBugs, AFixThatTheAdapterStillDoubtsIsNotOffered) {
  const auto answer = find({{"xs[1]", 2, fixing("return xs[1]", "return xs[2]")}, {"xs[2]", 1, ""}});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 1U);
  EXPECT_FALSE((*answer.result)->front().fix);
}

TEST(FindBugs, AFixThatDoesNotParseIsNotOffered) {
  const auto answer = find({{"xs[1]", 2, fixing("return xs[1]", "return xs[0")}});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 1U);
  EXPECT_FALSE((*answer.result)->front().fix);
}

TEST(FindBugs, BelowTheThresholdNothingIsSaid) {
  const auto answer = find({{"xs[1]", 0.2, fixing("return xs[1]", "return xs[0]")}});  // 0.55
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  EXPECT_TRUE((*answer.result)->empty());
}

TEST(FindBugs, MethodsKeepTheirIndentationAndTheMostProbableComesFirst) {
  const auto answer =
      find({{"xs[1]", 1, fixing("return xs[1]", "return xs[0]")}, {"n + 1", 3, fixing("return n + 1", "return n")}});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 2U);
  EXPECT_EQ(shown(kText, (*answer.result)->front().line), "return n + 1");
  ASSERT_TRUE((*answer.result)->front().fix);
  EXPECT_NE(applied(kText, *(*answer.result)->front().fix).find("        return n\n"), std::string::npos);
}

TEST(FindBugs, OnlyWhereSomethingChanged) {
  const std::size_t at = kText.find("n + 1");
  const auto answer =
      find({{"xs[1]", 3, fixing("return xs[1]", "return xs[0]")}, {"n + 1", 3, fixing("return n + 1", "return n")}},
           {at, at + 1});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 1U);
  EXPECT_EQ(shown(kText, (*answer.result)->front().line), "return n + 1");
}

TEST(FindBugs, AnAnswerThatNamesNoLineIsNothing) {
  const auto answer = find({{"xs[1]", 3, fixing("return ys[1]", "return xs[0]")}});
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  EXPECT_TRUE((*answer.result)->empty());
}

TEST(FindBugs, TheDocumentsLineEndsStay) {
  const std::string text = "def first(xs):\r\n    y = xs\r\n    return xs[1]\r\n";
  const auto answer = find({{"xs[1]", 2, fixing("return xs[1]", "return xs[0]")}}, {}, text);
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  ASSERT_EQ((*answer.result)->size(), 1U);
  ASSERT_TRUE((*answer.result)->front().fix);
  EXPECT_EQ(applied(text, *(*answer.result)->front().fix), "def first(xs):\r\n    y = xs\r\n    return xs[0]\r\n");
}

TEST(FindBugs, WithoutAnAdapterThereAreNone) {
  const Rig rig(test::hashed_script());
  Answer<Bugs> answer;
  rig.service->find_bugs(Rig::document(kText), {}, answer.done());
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  EXPECT_TRUE((*answer.result)->empty());
}

TEST(FindBugs, AFunctionThatHoldsAKeyIsNotShownToTheModel) {
  const auto answer = find({{"def ", 5, fixing("return 1", "return 2")}}, {},
                           "def f():\n    password = 'hunter2hunter2hunter2'\n    return 1\n");
  ASSERT_TRUE(answer.result && *answer.result) << answer.error();
  EXPECT_TRUE((*answer.result)->empty());
}

// Whatever the step at which it comes, there is one answer.
TEST(FindBugs, CancelledAtAnyStepAnswersOnce) {
  for (int steps = 0; steps < 40; ++steps) {
    const Rig rig(test::hashed_script(), {{"bugs", opinions({{"xs[1]", 2, fixing("return xs[1]", "return xs[0]")}})}});
    rig.install("bugs", "bug-detection", 0.6);
    Answer<Bugs> answer;
    const RequestId id = rig.service->find_bugs(Rig::document(kText), {}, answer.done());
    for (int i = 0; i < steps; ++i) rig.engine->poll();
    rig.service->cancel(id);
    rig.run();
    ASSERT_TRUE(answer.result.has_value()) << steps;
    if (!*answer.result) EXPECT_EQ(answer.error(), "cancelled");
  }
}

TEST(FindBugs, AServiceThatEndsAnswers) {
  for (int steps = 0; steps < 40; steps += 3) {
    Rig rig(test::hashed_script(), {{"bugs", opinions({{"xs[1]", 2, fixing("return xs[1]", "return xs[0]")}})}});
    rig.install("bugs", "bug-detection", 0.6);
    Answer<Bugs> answer;
    rig.service->find_bugs(Rig::document(kText), {}, answer.done());
    for (int i = 0; i < steps; ++i) rig.engine->poll();
    rig.service.reset();
    if (steps % 2 == 0) {
      rig.registry.reset();
      rig.engine.reset();
    } else {
      rig.run();
    }
    EXPECT_TRUE(answer.result.has_value()) << steps;
  }
}

}  // namespace
}  // namespace weft::adapters
