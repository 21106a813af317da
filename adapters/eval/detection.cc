#include "adapters/eval/detection.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace weft::adapters {
namespace {

constexpr std::size_t kFewestShown = 5;  // less says nothing about a precision

}  // namespace

bool is_positive(const Task& task, const TokenExample& example) {
  return example.text.answer.starts_with(task.verdicts.positive);
}

double verdict_probability(double positive_log_probability, double negative_log_probability) {
  return 1 / (1 + std::exp(negative_log_probability - positive_log_probability));
}

std::vector<double> paired_outcomes(std::span<const Detection> detections) {
  struct Twins {
    const Detection* there = nullptr;
    const Detection* absent = nullptr;
  };
  std::map<std::int64_t, Twins> pairs;
  for (const Detection& detection : detections) {
    if (detection.pair < 0) continue;
    (detection.there ? pairs[detection.pair].there : pairs[detection.pair].absent) = &detection;
  }
  std::vector<double> out;
  for (const auto& [number, twins] : pairs) {
    if (twins.there == nullptr || twins.absent == nullptr) continue;
    out.push_back(twins.there->probability > twins.absent->probability ? 1 : 0);
  }
  return out;
}

double area_under_curve(std::span<const Detection> detections) {
  std::vector<Detection> sorted(detections.begin(), detections.end());
  std::ranges::sort(sorted, {}, &Detection::probability);
  double above = 0, absent = 0, there = 0;  // `above`: pairs of (there, absent) in the right order
  for (std::size_t i = 0; i < sorted.size();) {
    double absent_here = 0, there_here = 0;
    const double probability = sorted[i].probability;
    for (; i < sorted.size() && sorted[i].probability == probability; ++i)
      (sorted[i].there ? there_here : absent_here) += 1;
    above += there_here * (absent + absent_here / 2);
    absent += absent_here;
    there += there_here;
  }
  return absent == 0 || there == 0 ? 0.5 : above / (absent * there);
}

Shown shown_at(std::span<const Detection> detections, double threshold) {
  Shown out;
  for (const Detection& detection : detections) {
    const bool shown = detection.probability >= threshold;
    out.shown += shown ? 1 : 0;
    out.there += detection.there ? 1 : 0;
    out.right += shown && detection.there ? 1 : 0;
  }
  return out;
}

double calibrated_threshold(std::span<const Detection> detections, double precision) {
  std::vector<Detection> sorted(detections.begin(), detections.end());
  std::ranges::sort(sorted, std::greater{}, &Detection::probability);
  double threshold = 1;
  std::size_t right = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    right += sorted[i].there ? 1 : 0;
    const bool tied = i + 1 < sorted.size() && sorted[i + 1].probability == sorted[i].probability;
    if (tied || i + 1 < kFewestShown) continue;
    if (static_cast<double>(right) >= precision * static_cast<double>(i + 1)) threshold = sorted[i].probability;
  }
  return threshold;
}

}  // namespace weft::adapters
