#include "adapters/eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "adapters/eval/detection.h"

namespace weft::adapters {
namespace {

TEST(Wilson, IsThePublishedInterval) {
  const Interval interval = wilson(81, 263);  // Newcombe 1998, table I
  EXPECT_NEAR(interval.low, 0.2553, 5e-5);
  EXPECT_NEAR(interval.high, 0.3662, 5e-5);
  EXPECT_EQ(wilson(0, 10).low, 0);
  EXPECT_GT(wilson(0, 10).high, 0.2);
  EXPECT_EQ(wilson(0, 0).high, 1);
}

TEST(Bootstrap, OfAMeanIsAsWideAsTheNormalApproximation) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);  // deviation 1/2, of the mean 1/40
  const Interval interval = mean_interval(values);
  EXPECT_DOUBLE_EQ(interval.value, 0.5);
  EXPECT_NEAR(interval.low, 0.5 - 1.96 / 40, 0.008);
  EXPECT_NEAR(interval.high, 0.5 + 1.96 / 40, 0.008);
}

TEST(Bootstrap, OfAPairedDifferenceDoesNotSeeWhatBothShare) {
  std::vector<double> before, after;
  for (int i = 0; i < 100; ++i) {
    before.push_back(i);
    after.push_back(i + 1);
  }
  const Interval interval = difference_interval(before, after);
  EXPECT_DOUBLE_EQ(interval.low, 1);
  EXPECT_DOUBLE_EQ(interval.high, 1);
}

const std::vector<Detection> kDetections = {{0.9, true, 0}, {0.2, false, 0}, {0.4, true, 1},   {0.6, false, 1},
                                            {0.3, true, 2}, {0.3, false, 2}, {0.8, false, -1}, {0.7, true, 3}};

TEST(Detections, PairsCountOnlyWhereTheTwinIsStrictlyLower) {
  EXPECT_EQ(paired_outcomes(kDetections), (std::vector<double>{1, 0, 0}));
}

TEST(Detections, AreaUnderTheCurveIsTheShareOfPairsInOrder) {
  double right = 0, all = 0;
  for (const Detection& a : kDetections) {
    for (const Detection& b : kDetections) {
      if (!a.there || b.there) continue;
      all += 1;
      right += a.probability > b.probability ? 1 : a.probability == b.probability ? 0.5 : 0;
    }
  }
  EXPECT_DOUBLE_EQ(area_under_curve(kDetections), right / all);
  EXPECT_EQ(area_under_curve({}), 0.5);
}

TEST(Detections, TheThresholdIsTheLeastThatKeepsThePrecision) {
  std::vector<Detection> detections;
  for (int i = 0; i < 20; ++i) detections.push_back({0.99 - 0.02 * i, i != 7 && i < 12, -1});
  const double threshold = calibrated_threshold(detections, 0.9);
  const Shown shown = shown_at(detections, threshold);
  EXPECT_EQ(shown.shown, 12U);
  EXPECT_EQ(shown.right, 11U);
  EXPECT_EQ(shown.there, 11U);
  EXPECT_EQ(calibrated_threshold(std::span(detections).first(4), 0.9), 1);
  for (Detection& detection : detections) detection.probability = 0.5;  // all tied: one cannot be shown without all
  EXPECT_EQ(calibrated_threshold(detections, 0.9), 1);
}

TEST(Detections, AVerdictsProbabilityIsItsShareOfTheTwo) {
  EXPECT_DOUBLE_EQ(verdict_probability(-1, -1), 0.5);
  EXPECT_NEAR(verdict_probability(std::log(0.3), std::log(0.1)), 0.75, 1e-12);
  EXPECT_EQ(verdict_probability(-2000, 0), 0);
}

}  // namespace
}  // namespace weft::adapters
