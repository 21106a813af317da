#include "adapters/eval/memory_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include <nlohmann/json.hpp>

namespace weft::adapters {
namespace {

using generation::Opinion;

// The model holds 1 likeliest with a half; the source of `cell` says `said`, of which the model thinks little.
MemoryToken token(TokenId next, std::size_t cell, TokenId said) {
  MemoryToken out;
  out.next = next;
  out.best = TokenId(1);
  out.best_probability = 0.5;
  out.model = next == TokenId(1) ? 0.5 : 0.01;
  out.opinions.push_back({cell, 4, {{said, 1}}, 1});
  out.of_model.push_back({said == TokenId(1) ? 0.5 : 0.01});
  out.match_length = 4;
  out.remembered = said;
  return out;
}

// A source that is right of three tokens in four, where the model gives them next to nothing.
std::vector<MemoryLine> lines(std::size_t cell, std::size_t count) {
  MemoryLine line;
  for (std::size_t i = 0; i < count; ++i) line.push_back(token(i % 4 == 3 ? TokenId(1) : TokenId(2), cell, TokenId(2)));
  return {line};
}

TEST(MemoryFit, FindsTheShareThatTheSourceIsRightBy) {
  const auto weights = fit_memory_weights(lines(20, 4000));
  // w = 0.75 of likelihood but for the model's own hundredth.
  EXPECT_NEAR(weights.shares[20], 0.747, 0.005);
}

TEST(MemoryFit, MakesNoOtherWeightsLikelier) {
  const auto data = lines(20, 400);
  auto weights = fit_memory_weights(data);
  weights.shares[20] = 0.747F;  // without the prior of few tokens
  const double best = score_memory(data, weights, 100).all.mixture.nats;
  for (const float other : {0.6F, 0.7F, 0.8F, 0.9F}) {
    weights.shares[20] = other;
    EXPECT_GT(score_memory(data, weights, 100).all.mixture.nats, best) << other;
  }
}

TEST(MemoryFit, ACellOfFewTokensStaysNearItsLengthsAverage) {
  auto data = lines(24, 4000);  // cells 24 to 35 are one source's and length's
  data.push_back({token(TokenId(1), 25, TokenId(2))});
  const auto weights = fit_memory_weights(data);
  EXPECT_GT(weights.shares[25], 0.6F);
  EXPECT_NEAR(weights.shares[26], weights.shares[24], 0.01);
  EXPECT_NEAR(weights.shares[100], 0.25, 0.001);  // nothing is known of it
}

TEST(MemoryScore, CountsTheModelTheMemoryAndTheMixture) {
  generation::MemoryWeights weights;
  weights.shares[20] = 0.6F;
  const auto report = score_memory(lines(20, 4), weights, 100);
  EXPECT_EQ(report.all.tokens, 4u);
  EXPECT_EQ(report.all.model.right, 1u);
  EXPECT_EQ(report.all.memory.right, 3u);
  EXPECT_EQ(report.all.mixture.right, 3u);
  EXPECT_NEAR(report.all.model.nats, -3 * std::log(0.01) - std::log(0.5), 1e-9);
  EXPECT_NEAR(report.all.mixture.nats, -3 * std::log(0.6 + 0.4 * 0.01) - std::log(0.4 * 0.5), 1e-6);
  EXPECT_NEAR(report.all.memory.nats, -3 * std::log(0.6 + 0.4 / 100) - std::log(0.4 / 100), 1e-6);
  EXPECT_EQ(report.by_length[4].tokens, 4u);  // a match of four
  EXPECT_EQ(report.by_length[0].tokens, 0u);
}

TEST(MemoryScore, StepsAreWhatGreedyDecodingWithDraftsNeeds) {
  generation::MemoryWeights weights;
  weights.shares[20] = 0.6F;
  auto data = lines(20, 8);  // 2 2 2 1 2 2 2 1, of which the mixture says 2 2 2 2 2 2 2 2
  data[0][0].draft = {TokenId(2), TokenId(2), TokenId(2), TokenId(2), TokenId(2)};
  const auto report = score_memory(data, weights, 100);
  // The first step takes four tokens, the fourth of which is not the line's; four more give one each.
  EXPECT_EQ(report.steps, 5u);
  EXPECT_EQ(report.drafted, 5u);
  EXPECT_EQ(report.accepted, 4u);
}

TEST(MemoryScore, SaysHowOftenEachSourceIsRight) {
  const std::size_t of_project = generation::kMemoryCells / generation::kMemorySources + 20;
  const auto report = score_memory(lines(of_project, 8), {}, 100);
  EXPECT_EQ(report.by_source[0].tokens, 0u);
  EXPECT_EQ(report.by_source[1].tokens, 8u);
  EXPECT_EQ(report.by_source[1].right, 6u);
}

TEST(MemoryScore, JsonSaysTheShares) {
  generation::MemoryWeights weights;
  weights.shares[20] = 0.6F;
  const auto report = score_memory(lines(20, 4), weights, 100);
  const auto alone = nlohmann::json::parse(to_json(report, nullptr, weights, "m"));
  EXPECT_FALSE(alone.contains("mixture_without_environment"));
  const auto without = score_memory(lines(20, 4), {}, 100);
  const auto json = nlohmann::json::parse(to_json(report, &without, weights, "m"));
  EXPECT_NEAR(json["mixture_without_environment"]["accuracy"].get<double>(), 0.25, 1e-9);
  EXPECT_NEAR(json["by_source"]["file"]["accuracy"].get<double>(), 0.75, 1e-9);
  EXPECT_EQ(json["tokens"], 4);
  EXPECT_EQ(json["model_name"], "m");
  EXPECT_NEAR(json["mixture"]["accuracy"].get<double>(), 0.75, 1e-9);
  EXPECT_EQ(json["by_match_length"].size(), generation::kMatchLengths.size() + 1);
  EXPECT_NEAR(json["weights"]["shares"][20].get<double>(), 0.6, 1e-6);
}

}  // namespace
}  // namespace weft::adapters
