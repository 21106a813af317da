// How well probabilities tell examples that have something from their twins that do not. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "adapters/tasks/task_data.h"

namespace weft::adapters {

struct Detection {
  double probability = 0;  // that it is there, as the model has it
  bool there = false;
  std::int64_t pair = -1;  // shared by twins
};

// Whether the wanted answer of an example begins with the positive verdict.
[[nodiscard]] bool is_positive(const Task& task, const TokenExample& example);

// exp(a) / (exp(a) + exp(b)), of the log-probabilities of the two verdicts.
[[nodiscard]] double verdict_probability(double positive_log_probability, double negative_log_probability);

// For every pair of twins 1 where the probability is higher on the one that has it, else 0. In the order of the pairs'
// numbers; an example without its twin is left out.
[[nodiscard]] std::vector<double> paired_outcomes(std::span<const Detection> detections);

// Probability that one that has it is ranked above one that has not; ties count half. 0.5 when there are not both.
[[nodiscard]] double area_under_curve(std::span<const Detection> detections);

struct Shown {
  std::size_t right = 0, shown = 0, there = 0;  // precision: right / shown, recall: right / there
};
[[nodiscard]] Shown shown_at(std::span<const Detection> detections, double threshold);

// The least threshold at which at least this precision is reached with five shown or more; 1 where none is.
[[nodiscard]] double calibrated_threshold(std::span<const Detection> detections, double precision);

}  // namespace weft::adapters
