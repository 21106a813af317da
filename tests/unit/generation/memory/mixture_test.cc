#include "generation/memory/mixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

namespace weft::generation {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

MemoryWeights all(float share) {
  MemoryWeights weights;
  weights.shares.fill(share);
  return weights;
}

Evidence says(MemorySource source, std::size_t length, std::vector<Continuation> continuations) {
  return {source, length, std::move(continuations)};
}

double sum_of(const std::vector<float>& row) {
  double sum = 0;
  for (const float logit : row) sum += std::exp(static_cast<double>(logit));
  return sum;
}

TEST(Mixture, IsTheWeightedSumOfModelAndSources) {
  // The model: 1/2, 1/4, 1/8, 1/8. The file gets half, the project half of the rest.
  std::vector<float> row = {3.0F, 3.0F - std::log(2.0F), 3.0F - std::log(4.0F), 3.0F - std::log(4.0F)};
  mix_in(row,
         std::vector{says(MemorySource::kFile, 3, {{TokenId(1), 3}, {TokenId(2), 1}}),
                     says(MemorySource::kProject, 1, {{TokenId(1), 2}})},
         all(0.5F));
  EXPECT_NEAR(std::exp(row[0]), 0.25 * 0.5, 1e-6);
  EXPECT_NEAR(std::exp(row[1]), 0.25 * 0.25 + 0.5 * 0.75 + 0.25, 1e-6);
  EXPECT_NEAR(std::exp(row[2]), 0.25 * 0.125 + 0.5 * 0.25, 1e-6);
  EXPECT_NEAR(std::exp(row[3]), 0.25 * 0.125, 1e-6);
  EXPECT_NEAR(sum_of(row), 1, 1e-6);
}

TEST(Mixture, LeavesTheLogitsWithoutEvidence) {
  const std::vector<float> before = {1.0F, -2.0F, 0.5F};
  std::vector<float> row = before;
  mix_in(row, {}, all(0.9F));
  EXPECT_EQ(row, before);
}

TEST(Mixture, WithoutWeightIsTheModel) {
  std::vector<float> row = {1.0F, -2.0F, 0.5F};
  mix_in(row, std::vector{says(MemorySource::kFile, 9, {{TokenId(1), 1}})}, {});
  EXPECT_NEAR(row[0] - row[1], 3, 1e-6);
  EXPECT_NEAR(row[0] - row[2], 0.5, 1e-6);
  EXPECT_NEAR(sum_of(row), 1, 1e-6);
}

TEST(Mixture, WhatMayNotComeDoesNotWhoeverSaysIt) {
  std::vector<float> row = {0.0F, kNever, std::nanf(""), 0.0F};
  mix_in(row, std::vector{says(MemorySource::kFile, 9, {{TokenId(1), 5}, {TokenId(2), 3}, {TokenId(3), 1}})},
         all(0.5F));
  EXPECT_EQ(row[1], kNever);
  EXPECT_TRUE(std::isnan(row[2]));
  EXPECT_NEAR(std::exp(row[0]), 0.25, 1e-6);
  EXPECT_NEAR(std::exp(row[3]), 0.75, 1e-6);  // the source's whole share goes to what is left of it

  row = {0.0F, kNever};
  mix_in(row, std::vector{says(MemorySource::kFile, 9, {{TokenId(1), 5}, {TokenId(7), 1}})}, all(0.5F));
  EXPECT_EQ(row, (std::vector{0.0F, kNever}));
  row = {kNever, kNever};
  mix_in(row, std::vector{says(MemorySource::kFile, 9, {{TokenId(1), 5}})}, all(0.5F));
  EXPECT_EQ(row, (std::vector{kNever, kNever}));
}

// The cell that applies, by making its weight the only one.
TEST(Mixture, WeightDependsOnSourceLengthSurenessAndAgreement) {
  const std::vector<float> logits = {1.0F, 0.0F, 0.0F};
  const auto cell = [&](const std::vector<Evidence>& evidence, std::size_t i) {
    return opinions_of(evidence, TokenId(0), logits)[i].cell;
  };
  const auto index = [](MemorySource source, std::size_t row, Sureness sureness, Agreement agreement) {
    return ((static_cast<std::size_t>(source) * kMatchLengths.size() + row) * kSurenesses +
            static_cast<std::size_t>(sureness)) *
               kAgreements +
           static_cast<std::size_t>(agreement);
  };
  const auto file = [](std::size_t length, std::vector<Continuation> next) {
    return says(MemorySource::kFile, length, std::move(next));
  };
  EXPECT_EQ(cell({file(1, {{TokenId(0), 1}})}, 0), index(MemorySource::kFile, 0, Sureness::kOnce, Agreement::kModel));
  EXPECT_EQ(cell({file(6, {{TokenId(1), 2}})}, 0),
            index(MemorySource::kFile, 4, Sureness::kAlways, Agreement::kNobody));
  const std::vector both = {file(32, {{TokenId(1), 2}, {TokenId(2), 1}}),
                            says(MemorySource::kProject, 2, {{TokenId(1), 1}})};
  EXPECT_EQ(cell(both, 0), index(MemorySource::kFile, 8, Sureness::kDivided, Agreement::kOtherSource));
  EXPECT_EQ(cell(both, 1), index(MemorySource::kProject, 1, Sureness::kOnce, Agreement::kOtherSource));
  const std::vector all_three = {file(13, {{TokenId(0), 1}}), says(MemorySource::kProject, 12, {{TokenId(0), 1}})};
  EXPECT_EQ(cell(all_three, 0), index(MemorySource::kFile, 7, Sureness::kOnce, Agreement::kAll));
  EXPECT_EQ(cell(all_three, 1), index(MemorySource::kProject, 6, Sureness::kOnce, Agreement::kAll));
}

// A short match in the file does not hide a long one elsewhere.
TEST(Mixture, TheLongestMatchIsAskedFirst) {
  const std::vector<float> logits = {1.0F, 0.0F, 0.0F};
  const std::vector evidence = {says(MemorySource::kFile, 2, {{TokenId(1), 1}}),
                                says(MemorySource::kProject, 4, {{TokenId(2), 1}}),
                                says(MemorySource::kEnvironment, 20, {{TokenId(2), 1}})};
  const auto opinions = opinions_of(evidence, TokenId(0), logits);
  ASSERT_EQ(opinions.size(), 3u);
  EXPECT_EQ(opinions[0].match_length, 20u);
  EXPECT_EQ(opinions[2].match_length, 2u);
  const auto given = weights_of(opinions, all(0.75F));
  EXPECT_NEAR(given[0], 0.75, 1e-6);
  EXPECT_NEAR(given[1], 0.75 * 0.25, 1e-6);
  EXPECT_NEAR(given[2], 0.75 * 0.0625, 1e-6);
}

TEST(MemoryWeights, ComeBackFromTheirFile) {
  MemoryWeights weights;
  for (std::size_t i = 0; i < kMemoryCells; ++i) weights.shares[i] = static_cast<float>(i % 100) / 100;
  const auto read = parse_memory_weights(to_json(weights));
  ASSERT_TRUE(read) << read.error().message;
  for (std::size_t i = 0; i < kMemoryCells; ++i) EXPECT_NEAR(read->shares[i], weights.shares[i], 1e-6) << i;
}

TEST(MemoryWeights, RefuseAnotherTable) {
  const std::string good = to_json(all(0.5F));
  const auto error_of = [](const std::string& json) {
    const auto read = parse_memory_weights(json);
    return read ? std::string("none") : read.error().message;
  };
  EXPECT_EQ(error_of("[]"), "no JSON object");
  EXPECT_EQ(error_of(good.substr(1)), "no JSON object");
  std::string other = good;
  other.replace(other.find("21"), 2, "22");
  EXPECT_EQ(error_of(other).substr(0, 14), "axes: expected");
  other = good;
  other.replace(other.find("0.500"), 5, "1.500");
  EXPECT_EQ(error_of(other), "shares[0]: expected a number from 0 to 1");
  other = good;
  other.erase(other.find("0.500"), 7);
  EXPECT_EQ(error_of(other), "shares: expected 324 numbers");
}

TEST(MemoryWeights, AreThoseBesideTheModelOrNone) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "memory_weights";
  std::filesystem::create_directories(folder);
  const auto file = folder / "memory.json";
  std::filesystem::remove(file);
  const auto none = load_memory_weights(folder.string());
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  std::ofstream(file) << to_json(all(0.25F));
  const auto some = load_memory_weights(folder.string());
  ASSERT_TRUE(some && some->has_value());
  EXPECT_EQ((**some).shares[0], 0.25F);
  std::ofstream(file) << "{}";
  const auto bad = load_memory_weights(folder.string());
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("memory.json: axes"), std::string::npos);
  std::filesystem::remove_all(folder);
}

// What is shipped is a table of this kind.
TEST(MemoryWeights, OfTheDefaultModelTrustALongMatchMost) {
  const auto weights = load_memory_weights(WEFT_SOURCE_DIR "/model/default");
  ASSERT_TRUE(weights) << weights.error().message;
  ASSERT_TRUE(weights->has_value());
  const std::vector<float> logits = {1.0F, 0.0F};
  const auto weight = [&](std::size_t length) {
    const auto opinions =
        opinions_of(std::vector{says(MemorySource::kFile, length, {{TokenId(1), 1}})}, TokenId(0), logits);
    return weights_of(opinions, **weights)[0];
  };
  EXPECT_LT(weight(1), 0.5);
  EXPECT_GT(weight(32), 0.5);
}

}  // namespace
}  // namespace weft::generation
