#include "generation/completion/threshold.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace weft::generation {
namespace {

struct Calibration {
  std::string_view model;
  double bias, mean, worst, length;  // of the mean and the worst log-probability, and of the logarithm of the tokens
  double least;                      // confidence that is shown
};

constexpr std::array<Calibration, 0> kCalibrations = {};

const Calibration* calibration_of(std::string_view model) {
  const auto* row = std::ranges::find(kCalibrations, model, &Calibration::model);
  return row == kCalibrations.end() ? nullptr : row;
}

}  // namespace

std::optional<double> confidence_in(const ScoreParts& parts, std::string_view model) {
  const Calibration* row = calibration_of(model);
  if (row == nullptr || parts.tokens == 0) return std::nullopt;
  const double sum = row->bias + row->mean * parts.mean_logprob + row->worst * parts.worst_logprob +
                     row->length * std::log(static_cast<double>(parts.tokens));
  return 1 / (1 + std::exp(-sum));
}

bool sure_enough(const ScoreParts& parts, std::string_view model) {
  const auto confidence = confidence_in(parts, model);
  return !confidence || *confidence >= calibration_of(model)->least;
}

}  // namespace weft::generation
