#include "adapters/eval/calibration_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/eval/completion_rows.h"

namespace weft::adapters {
namespace {

using generation::ConfidenceFeatures;
using generation::kConfidenceFeatures;

constexpr int kNewtonSteps = 30;
constexpr double kRidge = 1e-2;  // keeps weights finite where the halves can be told apart for certain
constexpr double kLeastProbability = 1e-12;

struct Example {
  ConfidenceFeatures features;
  bool right;
};
using Row = std::array<double, kConfidenceFeatures>;

// Gaussian elimination with pivots; the matrix is positive definite.
Row solved(std::array<Row, kConfidenceFeatures> matrix, Row vector) {
  constexpr std::size_t n = kConfidenceFeatures;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r) pivot = std::abs(matrix[r][i]) > std::abs(matrix[pivot][i]) ? r : pivot;
    std::swap(matrix[i], matrix[pivot]);
    std::swap(vector[i], vector[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double factor = matrix[r][i] / matrix[i][i];
      for (std::size_t c = i; c < n; ++c) matrix[r][c] -= factor * matrix[i][c];
      vector[r] -= factor * vector[i];
    }
  }
  for (std::size_t i = 0; i < n; ++i) vector[i] /= matrix[i][i];
  return vector;
}

// Newton's method on the penalised likelihood.
ConfidenceFeatures fit(std::span<const Example> examples) {
  ConfidenceFeatures weights{};
  for (int step = 0; step < kNewtonSteps; ++step) {
    Row gradient{};
    std::array<Row, kConfidenceFeatures> hessian{};
    for (std::size_t i = 0; i < kConfidenceFeatures; ++i) {
      gradient[i] = -kRidge * weights[i];
      hessian[i][i] = kRidge;
    }
    for (const Example& example : examples) {
      const double p = generation::probability(weights, example.features);
      for (std::size_t i = 0; i < kConfidenceFeatures; ++i) {
        gradient[i] += ((example.right ? 1 : 0) - p) * example.features[i];
        for (std::size_t j = 0; j < kConfidenceFeatures; ++j) {
          hessian[i][j] += p * (1 - p) * example.features[i] * example.features[j];
        }
      }
    }
    const Row change = solved(hessian, gradient);
    for (std::size_t i = 0; i < kConfidenceFeatures; ++i) weights[i] += change[i];
  }
  return weights;
}

struct Judged {
  double confidence;
  bool right;
};

std::vector<Judged> judged(std::span<const Example> examples, const ConfidenceFeatures& weights) {
  std::vector<Judged> out;
  for (const Example& one : examples) out.push_back({generation::probability(weights, one.features), one.right});
  std::ranges::sort(out, std::ranges::greater(), &Judged::confidence);
  return out;
}

RegressionQuality quality_of(std::span<const Example> examples, const ConfidenceFeatures& weights) {
  RegressionQuality quality;
  double surer = 0;  // pairs of one that is right and one that is not, in which the first is surer
  std::size_t right_so_far = 0;
  for (const Judged& one : judged(examples, weights)) {
    ++quality.examples;
    quality.right += one.right ? 1 : 0;
    quality.log_loss -= std::log(std::max(one.right ? one.confidence : 1 - one.confidence, kLeastProbability));
    right_so_far += one.right ? 1 : 0;
    if (!one.right) surer += static_cast<double>(right_so_far);
  }
  const std::size_t wrong = quality.examples - quality.right;
  if (quality.examples > 0) quality.log_loss /= static_cast<double>(quality.examples);
  if (quality.right > 0 && wrong > 0) {
    quality.auc = surer / (static_cast<double>(quality.right) * static_cast<double>(wrong));
  }
  return quality;
}

struct Chosen {
  double least = 1;
  std::size_t shown = 0, right = 0;
};

// The lowest confidence at which so large a share is right; but at least so many are shown, if there are.
Chosen choose(std::span<const Judged> surest_first, double precision, std::size_t least_shown) {
  Chosen chosen;
  std::size_t right = 0;
  for (std::size_t i = 0; i < surest_first.size(); ++i) {
    right += surest_first[i].right ? 1 : 0;
    const bool precise = static_cast<double>(right) >= precision * static_cast<double>(i + 1);
    if (precise || i + 1 <= least_shown) chosen = {surest_first[i].confidence, i + 1, right};
  }
  return chosen;
}

struct Halves {
  std::vector<Example> fitted, checked;
  std::size_t checked_places = 0;
};

// Files take turns.
template <class ExampleOf>
Halves halves_of(std::span<const PlaceScore> places, const ExampleOf& example_of) {
  Halves halves;
  std::string_view file;
  bool checks = true;
  for (const PlaceScore& place : places) {
    if (place.path != file) checks = !checks;
    file = place.path;
    halves.checked_places += checks ? 1 : 0;
    if (const std::optional<Example> example = example_of(place)) {
      (checks ? halves.checked : halves.fitted).push_back(*example);
    }
  }
  return halves;
}

std::optional<Example> first_line_of(const PlaceScore& place) {
  const auto features = generation::first_line_features(place.parts);
  if (place.offered.empty() || !features) return std::nullopt;
  return Example{*features, place.exact};
}

std::optional<Example> further_lines_of(const PlaceScore& place) {
  const auto features = generation::further_lines_features(place.parts);
  const bool judges = place.direction == Direction::kLeftToRight && place.exact && has_further_lines(place);
  if (!judges || !features) return std::nullopt;
  return Example{*features, place.further_exact};
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

CalibrationFit fit_calibration(std::span<const PlaceScore> places, const CalibrationAims& aims) {
  CalibrationFit out;
  const Halves first = halves_of(places, first_line_of);
  auto& first_model = out.calibration.first_line;
  first_model.weights = fit(first.fitted);
  out.fitted = quality_of(first.fitted, first_model.weights);
  out.checked = quality_of(first.checked, first_model.weights);
  const auto least_shown =
      static_cast<std::size_t>(std::ceil(aims.shown_rate * static_cast<double>(first.checked_places)));
  const Chosen shown = choose(judged(first.checked, first_model.weights), aims.precision, least_shown);
  first_model.least = shown.least;
  out.shown_rate = share(shown.shown, first.checked_places);
  out.precision = share(shown.right, shown.shown);

  const Halves further = halves_of(places, further_lines_of);
  auto& further_model = out.calibration.further_lines;
  further_model.weights = fit(further.fitted);
  out.further_fitted = quality_of(further.fitted, further_model.weights);
  out.further_checked = quality_of(further.checked, further_model.weights);
  const Chosen kept = choose(judged(further.checked, further_model.weights), aims.precision, 0);
  further_model.least = kept.least;
  out.further_kept = kept.shown;
  out.further_precision = share(kept.right, kept.shown);
  return out;
}

std::string to_text(const CalibrationFit& fit) {
  const auto line = [](std::string_view name, const RegressionQuality& half) {
    return fmt::format("{:<24}{:>7} offered, {:>6} right; log loss {:.3f}, AUC {:.3f}\n", name, half.examples,
                       half.right, half.log_loss, half.auc);
  };
  return line("first lines, fitted", fit.fitted) + line("first lines, checked", fit.checked) +
         line("further lines, fitted", fit.further_fitted) + line("further lines, checked", fit.further_checked) +
         fmt::format(
             "on the half that checks: shown at {:.1f} % of the places, {:.1f} % of it right; {} suggestions "
             "keep further lines, {:.1f} % of them right\n",
             100 * fit.shown_rate, 100 * fit.precision, fit.further_kept, 100 * fit.further_precision);
}

}  // namespace weft::adapters
