#include "generation/completion/filter.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "generation/completion/candidates.h"
#include "generation/completion/confidence.h"
#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

struct Document {
  explicit Document(std::string_view annotated, Trigger trigger = Trigger::kAutomatic)
      : request(test::request_at(annotated)),
        place(make_place(*request.document.text, request.cursor, language_for("", request.document.path))),
        rules(choose_stop_rules(place, trigger, 12)) {}
  CompletionRequest request;
  CursorPlace place;
  StopRules rules;
};

std::string filtered(std::string_view annotated, std::string_view generated,
                     FinishReason finish = FinishReason::kStopToken) {
  const Document document(annotated);
  const Filtered result = filter_text(generated, document.place, document.rules, finish);
  return result.text.empty() ? "<" + std::string(result.reason) + ">" : result.text;
}

TEST(Place, KnowsTheLinesAroundTheCursor) {
  const Document document("a\n\n  b^c  \r\n \n  d\ne");
  EXPECT_EQ(document.place.line_before, "  b");
  EXPECT_EQ(document.place.line_after, "c  ");
  EXPECT_EQ(document.place.next_line, "  d");
  const Document last("a^");
  EXPECT_EQ(last.place.next_line, "");
  EXPECT_EQ(last.place.line_after, "");
}

TEST(StopRules, FollowThePlace) {
  EXPECT_EQ(Document("x = ^1\n").rules.extent, Extent::kLine);
  EXPECT_EQ(Document("# x^\n").rules.extent, Extent::kLine);
  EXPECT_EQ(Document("x = 'a^\n").rules.extent, Extent::kLine);
  EXPECT_EQ(Document("x = ^\n").rules.extent, Extent::kStatement);
  EXPECT_EQ(Document("x = ^  \n").rules.extent, Extent::kStatement);
  EXPECT_EQ(Document("f(\n    ^\n)\n").rules.extent, Extent::kStatement);
  EXPECT_EQ(Document("def f():^\n").rules.extent, Extent::kBlock);
  EXPECT_EQ(Document("def f():  # note\n    ^\n").rules.extent, Extent::kBlock);
  EXPECT_EQ(Document("^").rules.extent, Extent::kBlock);
  EXPECT_EQ(Document("x = ^\n", Trigger::kInvoked).rules.extent, Extent::kBlock);
  EXPECT_EQ(Document("x = ^1\n", Trigger::kInvoked).rules.extent, Extent::kLine);
}

TEST(StopRules, SayTheSameOfAWholeTextAndOfItsBeginnings) {
  const std::string generated = "if a:\n        x = [\n1]\n    return x\n\n    more()\nleft = 1\n";
  const Document document("def f():\n    ^\n");
  const auto whole = enough(document.rules, generated);
  ASSERT_TRUE(whole);
  for (std::size_t end = 0; end <= generated.size(); ++end) {
    // Whoever stops at the first beginning that is enough keeps the same text.
    if (const auto early = enough(document.rules, generated.substr(0, end))) {
      EXPECT_EQ(generated.substr(0, *early), "if a:\n        x = [\n1]\n    return x");
      return;
    }
  }
  FAIL() << "never enough";
}

TEST(Filter, KeepsQuotesAndBracketsInBalance) {
  EXPECT_EQ(filtered("x = foo(bar(^))\n", "a[0])"), "a[0]");
  EXPECT_EQ(filtered("x = foo(bar(^)\n", "a))"), "a)");
  EXPECT_EQ(filtered("x = {'k': '^'}\n", "v'}"), "v");
  EXPECT_EQ(filtered("x = {'k': '^\n", "v'}"), "v'}");
  EXPECT_EQ(filtered("def f(^):\n    pass\n", "self, a):"), "self, a");
  EXPECT_EQ(filtered("def f^():\n    pass\n", "oo():"), "oo");
}

TEST(Filter, LeavesNoStatementOpenByABackslash) {
  EXPECT_EQ(filtered("from a import b, \\\n    ^\n", "c, \\"), "c,");
  EXPECT_EQ(filtered("x = '^\n", "\\"), "\\");
}

TEST(Filter, KeepsWhatOnlyLooksLikeTheRest) {
  EXPECT_EQ(filtered("x = ^ + b\n", "a + c"), "a + c");
  EXPECT_EQ(filtered("foo(^, b)\n", "a"), "a");
  EXPECT_EQ(filtered("x = [^]\n", "y[0]"), "y[0]");
}

TEST(Filter, CutsAtCharactersThatNoCodeHas) {
  EXPECT_EQ(filtered("x = ^\n", std::string("ab\0cd", 5)), "ab");
  EXPECT_EQ(filtered("x = ^\n", "ab\x1B[31m"), "ab");
}

TEST(Filter, DropsOnlyAClosingLineThatFollowsAlready) {
  EXPECT_EQ(filtered("f(\n    a,\n    ^\n)\n", "b,\n)"), "b,");
  EXPECT_EQ(filtered("f(\n    a,\n    ^\n\nx = 1\n", "b)"), "b)");
}

TEST(Filter, DropsLoops) {
  EXPECT_EQ(filtered("x = ^\n", "self.a.a.a.a.a.a.a", FinishReason::kLength), "<repeats itself>");
  EXPECT_EQ(filtered("x = ^\n", "foo(1, 2, 3, 4", FinishReason::kLength), "foo(1, 2, 3, 4");
  EXPECT_EQ(filtered("# ^\n", "----------------"), "----------------");  // a rule that the model itself ended
  EXPECT_EQ(filtered("def f():\n    ^\n", "x = 1\n    y(x)\n    y(x)\n    y(x)\n    y(x)\n"), "x = 1\n    y(x)");
  EXPECT_EQ(filtered("def f():\n    ^\n", "x = 1\n    y(x)\n    y(x)\n    z(x)"),
            "x = 1\n    y(x)\n    y(x)\n    z(x)");
}

TEST(Filter, NeverThrowsWhateverTheTextsAre) {
  const std::string alphabet = "a('\"\n\\ )]#:\r\t{\xC3\xA9";
  std::uint64_t state = 42;
  const auto draw = [&](std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += alphabet[(state >> 33U) % (alphabet.size() - 2)];
    }
    return text;
  };
  for (std::size_t round = 0; round < 5000; ++round) {
    const std::string before = draw(round % 23), after = draw(round % 17), generated = draw(round % 29);
    const Document document(before + "^" + after, round % 2 == 0 ? Trigger::kAutomatic : Trigger::kInvoked);
    const Filtered result = filter_text(generated, document.place, document.rules, FinishReason::kLength);
    ASSERT_EQ(result.text.empty(), !result.reason.empty());
    if (document.rules.extent == Extent::kLine) {
      ASSERT_EQ(result.text.find('\n'), std::string::npos);
    }
    if (!result.text.empty()) {
      ASSERT_EQ(result.text.find_last_not_of(" \t\r\n"), result.text.size() - 1);
    }
  }
}

Ranked rank(const std::vector<GenerationResult>& results, const Document& document) {
  auto gate = SyntaxGate::make(*document.place.language, *document.request.document.text, document.request.cursor);
  WEFT_CHECK(gate.has_value());
  const test::ByteTokenizer tokenizer;
  return rank_candidates(results,
                         {.place = document.place, .rules = document.rules, .tokenizer = tokenizer, .gate = &*gate});
}

GenerationResult generation(std::string text, double mean_logprob) {
  GenerationResult result;
  result.text = std::move(text);
  result.mean_logprob = mean_logprob;
  result.reason = FinishReason::kStopToken;
  return result;
}

TEST(Candidates, AreRankedByValidityThenByLikelihood) {
  const Document document("x = ^\ny = 2\n", Trigger::kInvoked);
  const std::vector<GenerationResult> results = {generation("foo(1", -0.1), generation("foo(2)", -0.9),
                                                 generation("foo(3)", -0.5), generation("foo(2)", -0.2)};
  const Ranked ranked = rank(results, document);
  ASSERT_EQ(ranked.items.size(), 3U);
  EXPECT_EQ(ranked.items[0].text, "foo(3)");
  EXPECT_EQ(ranked.items[1].text, "foo(2)");
  EXPECT_EQ(ranked.items[2].text, "foo(1");
  EXPECT_DOUBLE_EQ(ranked.items[0].score, -0.5);
}

TEST(Candidates, AreCutWhereTheyBreakTheSyntax) {
  const Document document("x = ^\ny = 2\n", Trigger::kInvoked);
  const Ranked ranked = rank({generation("foo(1) 2", -0.1), generation("= 2", -0.1)}, document);
  ASSERT_EQ(ranked.items.size(), 1U);
  EXPECT_EQ(ranked.items[0].text, "foo(1)");
  EXPECT_GT(ranked.items[0].parts.cut, 0);
  ASSERT_EQ(ranked.traces.size(), 2U);
  EXPECT_EQ(ranked.traces[0].steps.back().filter, "syntax");
  EXPECT_EQ(ranked.traces[0].steps.back().removed_bytes, 2U);
  EXPECT_EQ(ranked.traces[1].reason, "breaks the syntax");
  EXPECT_EQ(rank({generation("= 2", -0.1)}, document).reason, "breaks the syntax");
}

TEST(Candidates, AreCutWhereALineStandsInNoBlock) {
  const Document inside("def f():\n    y = 2  # here\n    # there\n    ^\n", Trigger::kInvoked);
  EXPECT_EQ(rank({generation("    z = 3", -0.1)}, inside).reason, "breaks the syntax");
  EXPECT_EQ(rank({generation("z = 3", -0.1)}, inside).items.at(0).text, "z = 3");
  EXPECT_EQ(rank({generation("if z:\n        z = 1\n            w = 2", -0.1)}, inside).items.at(0).text,
            "if z:\n        z = 1");
  EXPECT_EQ(rank({generation("if z:\n    z = 1", -0.1)}, inside).items.at(0).text, "if z:");
  EXPECT_EQ(
      rank({generation("if z:\n        # why\n        z = 1\n    else:\n    z = 2", -0.1)}, inside).items.at(0).text,
      "if z:\n        # why\n        z = 1\n    else:");
  const Document empty_line("class A:\n    def f(self):\n        pass\n^", Trigger::kInvoked);
  EXPECT_EQ(rank({generation("\n    def g(self):\n        pass", -0.1)}, empty_line).items.at(0).text,
            "\n    def g(self):\n        pass");
  EXPECT_EQ(rank({generation("            x = 1", -0.1)}, empty_line).reason, "breaks the syntax");
  const Document opened("if x:\n^", Trigger::kInvoked);
  EXPECT_EQ(rank({generation("    y = 1\n    z = 2", -0.1)}, opened).items.at(0).text, "    y = 1\n    z = 2");
  const Document string("text = \"\"\"\nSays\n^", Trigger::kInvoked);
  EXPECT_EQ(rank({generation("    more", -0.1)}, string).items.at(0).text, "    more");
}

TEST(Candidates, ThatSayWhatIsThereAlreadyComeLater) {
  const Document document("a = load(x)\n^\n\nb = save(x)\n", Trigger::kInvoked);
  const Ranked ranked =
      rank({generation("a = load(x)", -0.3), generation("c = x", -0.4), generation("d = 1\nb = save(x)\ne = 2", -0.35)},
           document);
  ASSERT_EQ(ranked.items.size(), 3U);
  EXPECT_EQ(ranked.items[0].text, "c = x");
  EXPECT_GT(ranked.traces[0].parts.repetition, 0);
  EXPECT_GT(ranked.traces[2].parts.overlap, 0);
}

TEST(Candidates, OfABeamSearchAreItsHypotheses) {
  const Document document("x = ^\n", Trigger::kInvoked);
  GenerationResult search = generation("1", -0.5);
  search.tokens = {test::byte_token('1')};
  search.logprobs = {-0.5};
  search.hypotheses = {{"1", search.tokens, -0.5, FinishReason::kStopToken},
                       {"22", {test::byte_token('2'), test::byte_token('2')}, -0.9, FinishReason::kStopToken}};
  const Ranked ranked = rank({search}, document);
  ASSERT_EQ(ranked.items.size(), 2U);
  EXPECT_EQ(ranked.items[0].text, "1");
  EXPECT_NEAR(ranked.items[1].parts.mean_logprob, -0.9 * std::pow(2, 0.7) / 2, 1e-9);
}

TEST(Confidence, CountsTheTokensOfWhatIsOffered) {
  const test::ByteTokenizer tokenizer;
  GenerationResult result = generation("nt(1)\nx", -1);
  for (const char c : std::string("int(1)\nx")) result.tokens.push_back(test::byte_token(c));
  result.tokens.erase(result.tokens.begin());
  result.logprobs = {-0.1, -0.2, -0.3, -2, -0.5, -0.6, -9};
  const Confidence all = confidence_of(result, 7, "", tokenizer);
  EXPECT_EQ(all.tokens, 7U);
  EXPECT_EQ(all.first_line.tokens, 6U);  // with the line's end
  EXPECT_DOUBLE_EQ(all.first_line.worst_logprob, -2);
  EXPECT_NEAR(all.first_line.logprob, -3.7, 1e-9);
  EXPECT_EQ(all.further_lines.tokens, 1U);
  EXPECT_DOUBLE_EQ(all.further_lines.logprob, -9);
  const Confidence word = confidence_of(result, 2, "", tokenizer);
  EXPECT_EQ(word.tokens, 2U);
  EXPECT_NEAR(word.mean_logprob, -0.15, 1e-9);
  EXPECT_EQ(word.first_line.tokens, 2U);
  const Confidence line = confidence_of(result, 5, "", tokenizer);
  EXPECT_EQ(line.tokens, 5U);
  EXPECT_EQ(line.first_line.tokens, 6U);
  EXPECT_EQ(line.further_lines.tokens, 0U);
}

TEST(Candidates, ThatFailedAreLeftOut) {
  const Document document("x = ^\n", Trigger::kInvoked);
  std::vector<GenerationResult> results = {generation("", 0), generation("1", -1)};
  results[0].reason = FinishReason::kFailed;
  EXPECT_EQ(rank(results, document).items.size(), 1U);
  results[1].text = "  ";
  const Ranked none = rank(results, document);
  EXPECT_TRUE(none.items.empty());
  EXPECT_EQ(none.reason, "empty");
}

}  // namespace
}  // namespace weft::generation
