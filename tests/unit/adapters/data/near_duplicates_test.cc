#include "adapters/data/near_duplicates.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

// `count` words of a seeded vocabulary, ten a line.
std::vector<std::string> words(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(fmt::format("w{}", random() % 5000));
  return out;
}
std::string text_of(const std::vector<std::string>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) out += all[i] + (i % 10 == 9 ? "\n" : " ");
  return out;
}
double estimate(const std::string& a, const std::string& b) {
  const auto x = NearDuplicates::signature_of(a), y = NearDuplicates::signature_of(b);
  std::size_t equal = 0;
  for (std::size_t i = 0; i < x.size(); ++i) equal += x[i] == y[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(x.size());
}
double jaccard(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto shingles = [](const std::vector<std::string>& all) {
    std::set<std::vector<std::string>> out;
    for (std::size_t i = 0; i + 5 <= all.size(); ++i)
      out.insert({all.begin() + static_cast<long>(i), all.begin() + static_cast<long>(i) + 5});
    return out;
  };
  const auto x = shingles(a), y = shingles(b);
  std::size_t both = 0;
  for (const auto& one : x) both += y.count(one);
  return static_cast<double>(both) / static_cast<double>(x.size() + y.size() - both);
}

TEST(NearDuplicates, TheSignatureEstimatesTheJaccardSimilarity) {
  const auto original = words(1, 2000);
  for (const std::size_t every : {400u, 100u, 40u, 15u}) {
    auto changed = original;
    for (std::size_t i = 0; i < changed.size(); i += every) changed[i] = fmt::format("other{}", i);
    EXPECT_NEAR(estimate(text_of(original), text_of(changed)), jaccard(original, changed), 0.13) << every;
  }
  EXPECT_LT(estimate(text_of(original), text_of(words(2, 2000))), 0.05);
}

TEST(NearDuplicates, FindsAnEditedCopyAndKeepsTheFirst) {
  NearDuplicates seen;
  const auto original = words(3, 1000);
  auto edited = original;
  edited[100] = "renamed";
  edited[700] = "changed";
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of(text_of(words(4, 1000)))), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of(text_of(original))), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of(text_of(edited))), 1u);
  EXPECT_EQ(seen.size(), 2u);
}

TEST(NearDuplicates, WhiteSpaceMakesNoDifference) {
  NearDuplicates seen;
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("if a:\n    return b + c\n")), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("if a:\n\treturn b+c")), 0u);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("if a:\n    return b - c\n")), std::nullopt);
}

TEST(NearDuplicates, ShortAndEmptyTextsAreComparedToo) {
  NearDuplicates seen;
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("")), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of(" \n")), 0u);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("a b")), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("b a")), std::nullopt);
  EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of("a  b")), 1u);
}

TEST(NearDuplicates, ManyDifferentTextsAreAllKept) {
  NearDuplicates seen;
  for (std::uint32_t i = 0; i < 500; ++i) {
    EXPECT_EQ(seen.find_or_add(NearDuplicates::signature_of(text_of(words(100 + i, 80)))), std::nullopt) << i;
  }
}

}  // namespace
}  // namespace weft::adapters
