#include "model/base/logits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace weft {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

double reference(const std::vector<float>& logits) {
  double peak = -kInfinity, sum = 0;
  for (const float logit : logits) peak = std::isfinite(logit) ? std::max<double>(peak, logit) : peak;
  for (const float logit : logits) sum += std::isfinite(logit) ? std::exp(logit - peak) : 0;
  return peak + std::log(sum);
}

TEST(Logits, AreSummedAsTheirDefinitionSays) {
  std::mt19937 random(7);
  for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 33U, 1023U, 1041U, 151'936U}) {
    for (const float width : {0.5F, 8.0F, 200.0F}) {
      std::normal_distribution<float> normal(3, width);
      std::vector<float> logits(size);
      for (float& logit : logits) logit = normal(random);
      EXPECT_NEAR(log_sum_exp(logits), reference(logits), 3e-6) << size << " of " << width;
      for (std::size_t i = 1; i < size; i += 3) logits[i] = i % 2 == 0 ? -kInfinity : std::nanf("");
      EXPECT_NEAR(log_sum_exp(logits), reference(logits), 3e-6) << size << " of " << width << ", with holes";
    }
  }
}

TEST(Logits, ThePeakIsTheFirstOfTheLargestNumbers) {
  std::vector<float> logits(40, -1.0F);
  logits[5] = std::nanf("");
  logits[6] = kInfinity;
  logits[21] = logits[38] = 2.5F;
  EXPECT_EQ(find_peak(logits).index, 21U);
  EXPECT_EQ(find_peak(logits).logit, 2.5);
  logits[3] = 2.5F;
  EXPECT_EQ(find_peak(logits).index, 3U);
}

TEST(Logits, WithoutANumberThereIsNoPeak) {
  const std::vector<float> none(20, -kInfinity), nan(3, std::nanf(""));
  EXPECT_EQ(find_peak(none).logit, -kInfinity);
  EXPECT_EQ(log_sum_exp(none), -kInfinity);
  EXPECT_EQ(log_sum_exp(nan), -kInfinity);
  EXPECT_EQ(log_sum_exp({}), -kInfinity);
}

}  // namespace
}  // namespace weft
