// Fits a model's calibration (generation/completion/threshold.h) to places where it is known what was right. The files
// are split by turns: one half fits the regressions, the other checks them and chooses what is shown. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "adapters/eval/completion_eval.h"
#include "generation/completion/threshold.h"

namespace weft::adapters {

struct CalibrationAims {
  double precision = 0.45;   // of what is shown
  double shown_rate = 0.20;  // of all places, that is not given up for the precision
};

// How a regression does on one half.
struct RegressionQuality {
  std::size_t examples = 0, right = 0;
  double log_loss = 0;  // nats an example
  double auc = 0;       // the probability that one that is right is surer than one that is not
};

struct CalibrationFit {
  generation::Calibration calibration;
  RegressionQuality fitted, checked;                  // of the first lines
  RegressionQuality further_fitted, further_checked;  // of the lines behind a right first one, from left to right
  double shown_rate = 0, precision = 0;               // on the half that checks
  std::size_t further_kept = 0;                       // suggestions there with lines behind the first that are kept,
  double further_precision = 0;                       // and the share of them whose further lines are right
};

// The least confidence shown is the lowest at which the precision is what is aimed at, so that most right lines are
// shown; where fewer places than aimed at would see anything, it is the one at which so many do. Further lines are kept
// from the lowest confidence on at which they have that precision too.
[[nodiscard]] CalibrationFit fit_calibration(std::span<const PlaceScore> places, const CalibrationAims& aims = {});

[[nodiscard]] std::string to_text(const CalibrationFit& fit);  // a few lines

}  // namespace weft::adapters
