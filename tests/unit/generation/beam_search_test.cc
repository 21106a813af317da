// Beam search against its definition, on vocabularies small enough to look at everything.
#include "generation/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "generation/sampling.h"
#include "tests/support/engine_harness.h"
#include "tests/support/fake_runner.h"

namespace weft::test {
namespace {

using generation::best_extensions;
using generation::Extension;
using generation::GenerationRequest;
using generation::GenerationResult;
using generation::Hypothesis;
using generation::KeptHypotheses;
using generation::Line;

struct Problem {
  Script script;
  std::size_t vocabulary = 0, longest = 0, width = 0;
  TokenId stop;
};

const std::vector<TokenId> kPrompt = {TokenId(0), TokenId(1)};

std::vector<double> log_softmax(const Problem& problem, const std::vector<TokenId>& generated) {
  std::vector<TokenId> history = kPrompt;
  history.insert(history.end(), generated.begin(), generated.end());
  const std::vector<float> logits = problem.script(history);
  std::vector<double> out;
  for (const float logit : logits) out.push_back(logit - log_sum_exp(logits));
  return out;
}

struct Open {
  std::vector<TokenId> tokens;
  double sum = 0;
};

// The definition, without an early end: at each length the `width` likeliest of all extensions.
std::vector<Hypothesis> by_definition(const Problem& problem) {
  std::vector<Open> open(1);
  std::vector<Hypothesis> kept;
  for (std::size_t length = 1; length <= problem.longest && !open.empty(); ++length) {
    std::vector<Open> extended;
    for (const Open& line : open) {
      const std::vector<double> costs = log_softmax(problem, line.tokens);
      for (std::size_t token = 0; token < costs.size(); ++token) {
        Open next = line;
        next.tokens.emplace_back(static_cast<std::int32_t>(token));
        next.sum += costs[token];
        extended.push_back(std::move(next));
      }
    }
    std::ranges::stable_sort(extended, std::greater<>(), &Open::sum);
    extended.resize(std::min(extended.size(), problem.width));
    open.clear();
    for (Open& line : extended) {
      const bool stopped = line.tokens.back() == problem.stop;
      const double score = generation::length_normalised(line.sum, length);
      if (!stopped && length < problem.longest) {
        open.push_back(std::move(line));
        continue;
      }
      if (stopped) line.tokens.pop_back();
      kept.push_back({{}, line.tokens, score});
    }
  }
  std::ranges::stable_sort(kept, std::greater<>(), &Hypothesis::score);
  kept.resize(std::min(kept.size(), problem.width));
  return kept;
}

// Every text that there is, the best `width` of them.
std::vector<Hypothesis> exhaustive(const Problem& problem) {
  std::vector<Hypothesis> all;
  const auto visit = [&](const auto& self, const Open& line) -> void {
    const std::vector<double> costs = log_softmax(problem, line.tokens);
    for (std::size_t token = 0; token < costs.size(); ++token) {
      Open next{line.tokens, line.sum + costs[token]};
      const double score = generation::length_normalised(next.sum, next.tokens.size() + 1);
      const TokenId id(static_cast<std::int32_t>(token));
      if (id != problem.stop) next.tokens.push_back(id);
      if (id == problem.stop || next.tokens.size() == problem.longest) {
        all.push_back({{}, next.tokens, score});
      } else {
        self(self, next);
      }
    }
  };
  visit(visit, {});
  std::ranges::stable_sort(all, std::greater<>(), &Hypothesis::score);
  all.resize(std::min(all.size(), problem.width));
  return all;
}

struct Search {
  GenerationResult result;
  std::size_t sequences_left = 0, broken_plans = 0;
};

Search by_engine(const Problem& problem) {
  FakeRunnerOptions options;
  options.vocabulary = problem.vocabulary;
  const auto runner = std::make_shared<FakeRunner>(problem.script, options);
  Search search;
  EngineHarness harness(runner, std::make_shared<ByteTokenizer>(), {.threads = 0});
  GenerationRequest request;
  request.prompt = kPrompt;
  request.max_new_tokens = problem.longest;
  request.stop_tokens = {problem.stop};
  request.beams = problem.width;
  search.result = harness.generate(std::move(request));
  while (harness.engine().poll()) {
  }
  search.sequences_left = runner->sequences_held();
  search.broken_plans = runner->broken_plans();
  return search;
}

void expect_same(const Search& search, const std::vector<Hypothesis>& expected) {
  const auto& found = search.result.hypotheses;
  ASSERT_EQ(found.size(), expected.size()) << search.result.error;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << i;
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-9) << i;
  }
  EXPECT_EQ(search.sequences_left, 1U);  // the prompt, for whoever begins alike
  EXPECT_EQ(search.broken_plans, 0U);
}

Problem problem(std::uint64_t seed, std::size_t vocabulary, std::size_t longest, std::size_t width) {
  return {hashed_script(vocabulary, seed), vocabulary, longest, width,
          TokenId(static_cast<std::int32_t>(vocabulary - 1))};
}

TEST(BeamSearch, IsExhaustiveWhereTheBeamHoldsEverything) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    for (const Problem& each : {problem(seed, 3, 3, 8), problem(seed, 4, 2, 8), problem(seed, 7, 1, 8)}) {
      expect_same(by_engine(each), exhaustive(each));
    }
  }
}

TEST(BeamSearch, IsItsDefinitionForEveryWidth) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem each = problem(seed, 3 + seed % 5, 2 + seed % 7, 2 + seed % 7);
    SCOPED_TRACE(seed);
    expect_same(by_engine(each), by_definition(each));
  }
}

TEST(BeamSearch, ABeamOfOneIsGreedy) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<Line> lines(1);
    const std::vector<float> row = hashed_script(50, seed)(kPrompt);
    const auto best = best_extensions(lines, row, 1);
    const generation::Sampled greedy = generation::sample(row, {}, 0);
    ASSERT_EQ(best.size(), 1U);
    EXPECT_EQ(best[0].token, greedy.token);
    EXPECT_DOUBLE_EQ(best[0].logprob, greedy.logprob);
  }
}

TEST(BeamSearch, TiesGoToTheEarlierLineThenToTheLowerToken) {
  const std::vector<Line> lines(2);
  const std::vector<float> rows = {1, 1, 0, 1, 1, 0};
  const auto best = best_extensions(lines, rows, 3);
  ASSERT_EQ(best.size(), 3U);
  EXPECT_EQ(best[0].parent, 0U);
  EXPECT_EQ(best[0].token, TokenId(0));
  EXPECT_EQ(best[1].token, TokenId(1));
  EXPECT_EQ(best[2].parent, 1U);
  EXPECT_EQ(best[2].token, TokenId(0));
}

TEST(BeamSearch, TheFirstChildGoesOnInItsParentsSequence) {
  std::vector<Line> parents(3), children(3);
  for (std::size_t i = 0; i < 3; ++i) parents[i].sequence = SequenceId(i + 1);
  std::uint64_t last = 10;
  const std::vector<std::size_t> parent_of_child = {2, 0, 2};
  const auto moves = generation::assign_sequences(parents, parent_of_child, Position(5), children,
                                                  [&last] { return SequenceId(++last); });
  EXPECT_EQ(children[0].sequence, SequenceId(3));
  EXPECT_EQ(children[1].sequence, SequenceId(1));
  EXPECT_EQ(children[2].sequence, SequenceId(11));
  ASSERT_EQ(moves.forks.size(), 1U);
  EXPECT_EQ(moves.forks[0].from, SequenceId(3));
  EXPECT_EQ(moves.forks[0].to, SequenceId(11));
  EXPECT_EQ(moves.forks[0].length, Position(5));
  EXPECT_THAT(moves.released, testing::ElementsAre(SequenceId(2)));
}

TEST(BeamSearch, IsDecidedWhenNoLengthCanMakeUpForTheSum) {
  KeptHypotheses kept(2, 100);
  kept.add({{"a", {}, -0.5}, {}});
  EXPECT_FALSE(kept.decided(-1000));  // there is room
  kept.add({{"b", {}, -0.2}, {}});
  kept.add({{"c", {}, -0.9}, {}});  // worse than both
  ASSERT_EQ(kept.best_first().size(), 2U);
  EXPECT_EQ(kept.best_first()[0].hypothesis.text, "b");
  EXPECT_FALSE(kept.decided(-12));  // over 100^0.7 = 25.1 it is -0.48
  EXPECT_TRUE(kept.decided(-13));
}

TEST(BeamSearch, EndsAsSoonAsItIsDecided) {
  // The stop token is all but certain at once: with a beam of two, one more line is needed and no more.
  const Problem easy{[](std::span<const TokenId> history) {
                       std::vector<float> logits = {0, 0, 30};
                       if (history.back() == TokenId(1)) logits[1] = 10;
                       return logits;
                     },
                     3, 50, 2, TokenId(2)};
  const Search search = by_engine(easy);
  EXPECT_EQ(search.result.reason, generation::FinishReason::kStopToken);
  EXPECT_TRUE(search.result.tokens.empty());
  expect_same(search, by_definition(easy));
}

}  // namespace
}  // namespace weft::test
