#include "adapters/eval/calibration_fit.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/data/random.h"

namespace weft::adapters {
namespace {

// A place whose line is right as often as the model believes.
std::vector<PlaceScore> honest_places(std::size_t count) {
  std::vector<PlaceScore> places;
  Random random(7);
  for (std::size_t i = 0; i < count; ++i) {
    const double right = random.uniform();
    PlaceScore place{.path = std::to_string(i / 10), .offered = "x", .shown = true};
    place.parts.first_line = {.tokens = 1 + i % 5, .logprob = std::log(right), .worst_logprob = std::log(right)};
    place.exact = random.uniform() < right;
    places.push_back(place);
  }
  return places;
}

TEST(FitCalibration, LearnsWhenALineIsRight) {
  const auto fit = fit_calibration(honest_places(4000));
  EXPECT_EQ(fit.fitted.examples, 2000U);
  EXPECT_EQ(fit.checked.examples, 2000U);
  EXPECT_NEAR(fit.checked.log_loss, 0.5, 0.03);  // the entropy of what is given
  EXPECT_NEAR(fit.checked.auc, 5.0 / 6, 0.03);
  generation::ScoreParts parts;
  parts.first_line = {.tokens = 2, .logprob = std::log(0.8), .worst_logprob = std::log(0.8)};
  generation::add_confidence(parts, &fit.calibration);
  EXPECT_NEAR(*parts.confidence, 0.8, 0.08);
}

TEST(FitCalibration, ShowsAsMuchAsThePrecisionAllows) {
  const auto places = honest_places(4000);
  const auto fit = fit_calibration(places, {.precision = 0.75, .shown_rate = 0.2});
  EXPECT_NEAR(fit.precision, 0.75, 0.02);
  EXPECT_NEAR(fit.shown_rate, 0.5, 0.05);  // of a uniform chance, the upper half is right three times in four
  const auto all = fit_calibration(places, {.precision = 0.3, .shown_rate = 0.2});
  EXPECT_EQ(all.shown_rate, 1);
}

TEST(FitCalibration, DoesNotGiveUpTheShownRate) {
  const auto fit = fit_calibration(honest_places(4000), {.precision = 0.999, .shown_rate = 0.2});
  EXPECT_NEAR(fit.shown_rate, 0.2, 0.001);
  EXPECT_NEAR(fit.precision, 0.9, 0.05);
}

TEST(FitCalibration, CountsPlacesWithoutAnOfferAsNotShown) {
  std::vector<PlaceScore> places;
  for (const PlaceScore& place : honest_places(2000)) {
    places.push_back({.path = place.path});
    places.push_back(place);
  }
  const auto fit = fit_calibration(places, {.precision = 0.3, .shown_rate = 0.2});
  EXPECT_EQ(fit.checked.examples, 1000U);
  EXPECT_DOUBLE_EQ(fit.shown_rate, 0.5);
}

TEST(FitCalibration, KeepsFurtherLinesOfWhichEnoughAreRight) {
  auto places = honest_places(4000);
  Random random(8);
  for (PlaceScore& place : places) {
    const double right = random.uniform();
    place.exact = true;
    place.offered = "x\ny";
    place.parts.further_lines = {.tokens = 2, .logprob = std::log(right), .worst_logprob = std::log(right)};
    place.further_exact = random.uniform() < right;
  }
  const auto fit = fit_calibration(places, {.precision = 0.75});
  EXPECT_NEAR(fit.further_precision, 0.75, 0.02);
  EXPECT_NEAR(static_cast<double>(fit.further_kept), 1000, 100);
  places.front().parts.further_lines = {.tokens = 2, .logprob = -9, .worst_logprob = -9};
  generation::add_confidence(places.front().parts, &fit.calibration);
  EXPECT_FALSE(generation::sure_of_further_lines(places.front().parts, &fit.calibration));
}

TEST(FitCalibration, OfNothingShowsEverythingItIsCertainOf) {
  const auto fit = fit_calibration({});
  EXPECT_EQ(fit.calibration.first_line.least, 1);
  EXPECT_EQ(fit.shown_rate, 0);
}

}  // namespace
}  // namespace weft::adapters
