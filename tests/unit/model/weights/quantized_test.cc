// Rounding weights to int8 and int4: how near it comes, that it repeats, and what is at the edges.
#include "model/weights/quantized.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "model/weights/find_quantized.h"

namespace weft::model {
namespace {

std::vector<float> random_row(std::size_t size, unsigned seed, float spread = 0.02F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> row(size);
  for (float& value : row) value = normal(random);
  return row;
}

struct Int4 {
  std::vector<std::uint8_t> packed;
  std::vector<float> scales;
};

Int4 int4(const std::vector<float>& row, std::int64_t group) {
  const auto size = static_cast<std::size_t>(group);
  Int4 out{std::vector<std::uint8_t>((row.size() + 1) / 2, 0xEE), std::vector<float>((row.size() + size - 1) / size)};
  quantize_int4_row(row, group, out.packed, out.scales);
  return out;
}

std::vector<float> numbers(const Int4& q, std::size_t columns, std::int64_t group) {
  const QuantizedMatrix matrix{WeightFormat::kInt4, 1, static_cast<std::int64_t>(columns), group, q.packed, q.scales};
  std::vector<float> out(columns);
  dequantize_row(matrix, 0, out);
  return out;
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return sum;
}

TEST(Half, IsWhatItWasAfterWideningAndRounding) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<Half>(bits);
    const float wide = to_float(half);
    if (std::isnan(wide)) {
      EXPECT_GT(bits & 0x7FFFU, 0x7C00U);
    } else {
      EXPECT_EQ(static_cast<std::uint32_t>(to_half(wide)), bits);
    }
  }
  EXPECT_EQ(to_float(static_cast<Half>(0x0001)), 0x1p-24F);
  EXPECT_EQ(to_float(static_cast<Half>(0xC000)), -2.0F);
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  const auto half = [](float value) { return static_cast<unsigned>(to_half(value)); };
  EXPECT_EQ(half(1 + 0x1p-11F), half(1));
  EXPECT_EQ(half(1 + 3 * 0x1p-11F), half(1 + 2 * 0x1p-10F));
  EXPECT_EQ(half(0x1p-25F), 0U);
  EXPECT_EQ(half(3 * 0x1p-26F), 1U);
  EXPECT_EQ(half(65519.0F), half(65504.0F));
  EXPECT_EQ(half(65520.0F), 0x7C00U);
  const auto bf16 = [](float value) { return static_cast<unsigned>(to_bf16(value)); };
  EXPECT_EQ(bf16(1 + 0x1p-8F), bf16(1));
  EXPECT_EQ(bf16(1 + 3 * 0x1p-8F), bf16(1 + 2 * 0x1p-7F));
  EXPECT_TRUE(std::isnan(to_float(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Int8, IsWithinHalfAStepAndReachesTheLargest) {
  const std::vector<float> row = random_row(515, 1);
  std::vector<std::int8_t> q(row.size());
  const float scale = quantize_int8_row(row, q);
  int most = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_LE(std::abs(static_cast<float>(q[i]) * scale - row[i]), scale * 0.5001F);
    most = std::max(most, std::abs(int{q[i]}));
  }
  EXPECT_EQ(most, 127);
}

TEST(Int8, OfNothingIsNothing) {
  std::vector<std::int8_t> q(4, 9);
  for (const float nothing : {0.0F, 1e-45F, -1e-40F}) {
    EXPECT_EQ(quantize_int8_row(std::vector<float>(4, nothing), q), 0.0F);
    EXPECT_THAT(q, ::testing::Each(0));
  }
  const float scale = quantize_int8_row(std::vector<float>{3e38F, -3e38F, 0, 1}, q);
  EXPECT_THAT(q, ::testing::ElementsAre(127, -127, 0, 0));
  EXPECT_FLOAT_EQ(scale * 127, 3e38F);
}

TEST(Int4, ErrsLessThanTheScaleOfTheLargest) {
  for (const std::int64_t group : {32, 64, 128}) {
    const std::vector<float> row = random_row(1024, static_cast<unsigned>(group));
    const double error = squared_error(row, numbers(int4(row, group), row.size(), group));
    // What the usual rule gives: the largest of the group becomes -8.
    double usual = 0;
    for (std::size_t g = 0; g < row.size(); g += static_cast<std::size_t>(group)) {
      const std::vector<float> values(row.begin() + static_cast<std::ptrdiff_t>(g),
                                      row.begin() + static_cast<std::ptrdiff_t>(g) + group);
      const float extreme = *std::ranges::max_element(values, {}, [](float x) { return std::abs(x); });
      const float scale = to_float(to_half(extreme / -8));
      for (const float x : values) {
        usual += std::pow(static_cast<double>(x) - scale * std::clamp(std::nearbyint(x / scale), -8.0F, 7.0F), 2);
      }
    }
    EXPECT_LT(error, usual * 0.95) << group;
    EXPECT_LT(std::sqrt(error / squared_error(row, std::vector<float>(row.size()))), 0.12) << group;
  }
}

// For the whole numbers that a group rounds to, the scale of the least squares is hardly better than the one it has.
TEST(Int4, HasNearlyTheBestScaleForWhatItRoundsTo) {
  constexpr std::int64_t kGroup = 64;
  double has = 0, best = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    const std::vector<float> row = random_row(kGroup, seed);
    const Int4 q = int4(row, kGroup);
    const std::vector<float> rounded = numbers(q, row.size(), kGroup);
    double product = 0, square = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double whole = rounded[i] / q.scales[0];
      product += row[i] * whole;
      square += whole * whole;
    }
    has += squared_error(row, rounded);
    double fitted = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      fitted += std::pow(row[i] - rounded[i] / q.scales[0] * product / square, 2);
    }
    best += fitted;
  }
  EXPECT_LT(has / best, 1.002);
}

TEST(Int4, HasScalesThatHalfHoldsAndRepeats) {
  const std::vector<float> row = random_row(256, 5);
  const Int4 once = int4(row, 64), again = int4(row, 64);
  EXPECT_EQ(once.packed, again.packed);
  EXPECT_EQ(once.scales, again.scales);
  for (const float scale : once.scales) EXPECT_EQ(to_float(to_half(scale)), scale);
}

TEST(Int4, KeepsWhatItCanHoldExactly) {
  std::vector<float> row;
  for (int i = 0; i < 64; ++i) row.push_back(static_cast<float>(i % 16 - 8) * 0.25F);
  EXPECT_EQ(numbers(int4(row, 32), 64, 32), row);
}

TEST(Int4, TakesAShortLastGroupAndAnOddLastColumn) {
  const std::vector<float> row = random_row(32 + 5, 6);
  const Int4 q = int4(row, 32);
  EXPECT_EQ(q.packed.size(), 19U);
  EXPECT_EQ(q.packed.back() >> 4, 0);  // the pair's missing half
  const std::vector<float> own = numbers(q, row.size(), 32);
  for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(own[i], row[i], std::abs(q.scales[i / 32]) * 1.1F);
}

TEST(Int4, SurvivesExtremes) {
  std::vector<float> row(64, 0.0F);
  EXPECT_EQ(int4(row, 64).scales[0], 0.0F);
  EXPECT_EQ(numbers(int4(row, 64), 64, 64), row);
  for (const float extreme : {1e-30F, 1e-8F, 3e-7F, 1e6F, 3e38F, -3e38F}) {
    row[3] = extreme;
    const Int4 q = int4(row, 64);
    EXPECT_TRUE(std::isfinite(q.scales[0])) << extreme;
    for (const float value : numbers(q, 64, 64)) EXPECT_TRUE(std::isfinite(value)) << extreme;
  }
}

}  // namespace
}  // namespace weft::model
