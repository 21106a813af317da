// Sampling against definitions written out naively.
#include "generation/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "generation/philox.h"

namespace weft::generation {
namespace {

std::vector<float> random_logits(std::mt19937& random, std::size_t size) {
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(size);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

// softmax(logits / temperature), then each filter by its definition, each renormalised.
std::vector<double> naive_distribution(const std::vector<float>& logits, const SamplingOptions& options) {
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp(static_cast<double>(logit) / options.temperature));
  const auto normalise = [&p] {
    double sum = 0;
    for (const double each : p) sum += each;
    for (double& each : p) each /= sum;
  };
  // How many are likelier than i; of equals, the lower id is.
  const auto rank = [&logits](std::size_t i) {
    std::size_t before = 0;
    for (std::size_t j = 0; j < logits.size(); ++j)
      before += logits[j] > logits[i] || (logits[j] == logits[i] && j < i);
    return before;
  };
  normalise();
  if (options.top_k > 0) {
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = rank(i) < static_cast<std::size_t>(options.top_k) ? p[i] : 0;
    normalise();
  }
  const std::vector<double> before_top_p = p;
  for (std::size_t i = 0; i < p.size() && options.top_p < 1; ++i) {
    double likelier = 0;
    for (std::size_t j = 0; j < p.size(); ++j) likelier += rank(j) < rank(i) ? before_top_p[j] : 0;
    if (likelier >= options.top_p) p[i] = 0;
  }
  const double peak = *std::ranges::max_element(p);
  for (double& each : p) each = each >= options.min_p * peak ? each : 0;
  normalise();
  return p;
}

std::vector<double> frequencies(const std::vector<float>& logits, SamplingOptions options, std::uint64_t draws) {
  std::vector<double> counts(logits.size(), 0);
  for (std::uint64_t step = 0; step < draws; ++step) {
    counts[static_cast<std::size_t>(sample(logits, options, step).token.value())] += 1.0 / static_cast<double>(draws);
  }
  return counts;
}

TEST(Philox, GivesThePublishedNumbers) {
  // Known answers that come with the authors' Random123.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformsFillTheUnitInterval) {
  double sum = 0, least = 1, most = 0;
  constexpr int kDraws = 20000;
  for (std::uint64_t step = 0; step < kDraws; ++step) {
    const double u = philox_uniform(3, step);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u, least = std::min(least, u), most = std::max(most, u);
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.01);
  EXPECT_LT(least, 0.001);
  EXPECT_GT(most, 0.999);
}

TEST(Sampling, GreedyTakesTheHighestAndTheLowerIdOfEquals) {
  EXPECT_EQ(sample(std::vector<float>{1, 5, 2, 5}, {}, 0).token, TokenId(1));
  EXPECT_EQ(sample(std::vector<float>{-3, -2, -1}, {}, 9).token, TokenId(2));
}

TEST(Sampling, LogProbabilityIsThatOfTheUnmodifiedDistribution) {
  std::mt19937 random(1);
  const std::vector<float> logits = random_logits(random, 300);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.temperature = 2, .top_k = 50, .top_p = 0.8, .min_p = 0.01, .seed = 5}}) {
    for (std::uint64_t step = 0; step < 20; ++step) {
      const Sampled got = sample(logits, options, step);
      EXPECT_NEAR(got.logprob, logits[static_cast<std::size_t>(got.token.value())] - std::log(sum), 1e-6);
    }
  }
}

TEST(Sampling, HugeLogitsDoNotOverflow) {
  const Sampled got = sample(std::vector<float>{3e38F, -3e38F, 0}, {}, 0);
  EXPECT_EQ(got.token, TokenId(0));
  EXPECT_DOUBLE_EQ(got.logprob, 0);
}

TEST(Sampling, NoNumbersNeverWin) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {nan, 1, inf, 2, -inf};
  EXPECT_EQ(sample(logits, {}, 0).token, TokenId(3));
  EXPECT_NEAR(sample(logits, {}, 0).logprob, 2 - std::log(std::exp(1.0) + std::exp(2.0)), 1e-6);
  for (std::uint64_t step = 0; step < 200; ++step) {
    const TokenId token = sample(logits, {.temperature = 100}, step).token;
    EXPECT_TRUE(token == TokenId(1) || token == TokenId(3)) << token.value();
  }
  EXPECT_FALSE(std::isfinite(sample(std::vector<float>{nan, nan}, {.temperature = 1}, 0).logprob));
}

TEST(Sampling, DrawsFollowTheNaiveDistribution) {
  std::mt19937 random(2);
  const std::vector<float> logits = random_logits(random, 24);
  const std::vector<SamplingOptions> all = {
      {.temperature = 1},
      {.temperature = 0.5, .seed = 1},
      {.temperature = 2, .top_k = 5, .seed = 2},
      {.temperature = 1.5, .top_p = 0.7, .seed = 3},
      {.temperature = 3, .min_p = 0.2, .seed = 4},
      {.temperature = 3, .top_k = 12, .top_p = 0.8, .min_p = 0.3, .seed = 5},
  };
  constexpr std::uint64_t kDraws = 40000;
  for (const SamplingOptions& options : all) {
    const std::vector<double> expected = naive_distribution(logits, options);
    const std::vector<double> got = frequencies(logits, options, kDraws);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double deviation = std::sqrt(expected[i] * (1 - expected[i]) / kDraws);
      // What is filtered out has no deviation and may not be drawn at all.
      EXPECT_NEAR(got[i], expected[i], 5 * deviation + 1e-9) << "token " << i << ", seed " << options.seed;
    }
  }
}

TEST(Sampling, OneCandidateIsTakenWhateverTheTemperature) {
  std::mt19937 random(3);
  const std::vector<float> logits = random_logits(random, 100);
  const TokenId best = sample(logits, {}, 0).token;
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 50, .top_k = 1}, SamplingOptions{.temperature = 50, .top_p = 0},
        SamplingOptions{.temperature = 50, .min_p = 1}, SamplingOptions{.temperature = 50, .min_p = 2},
        SamplingOptions{.temperature = 1e-6}}) {
    for (std::uint64_t step = 0; step < 50; ++step) EXPECT_EQ(sample(logits, options, step).token, best);
  }
}

TEST(Sampling, TheSameSeedAndStepGiveTheSameTokenAndOthersOthers) {
  const std::vector<float> flat(1000, 0.0F);
  const auto draw = [&](std::uint64_t seed, std::uint64_t step) {
    return sample(flat, {.temperature = 1, .seed = seed}, step).token;
  };
  std::set<TokenId> by_step, by_seed;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(draw(7, i), draw(7, i));
    by_step.insert(draw(7, i));
    by_seed.insert(draw(i, 7));
  }
  EXPECT_GT(by_step.size(), 80U);
  EXPECT_GT(by_seed.size(), 80U);
}

}  // namespace
}  // namespace weft::generation
