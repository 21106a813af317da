#include "model/base/logits.h"

#include <cmath>

namespace weft {

Peak find_peak(std::span<const float> logits) {
  Peak peak;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isfinite(logits[i]) && logits[i] > peak.logit) peak = {i, logits[i]};
  }
  return peak;
}

double log_sum_exp(std::span<const float> logits) { return log_sum_exp(logits, find_peak(logits)); }

double log_sum_exp(std::span<const float> logits, const Peak& peak) {
  if (!std::isfinite(peak.logit)) return peak.logit;
  double sum = 0;
  for (const float logit : logits) {
    if (std::isfinite(logit)) sum += std::exp(logit - peak.logit);
  }
  return peak.logit + std::log(sum);
}

}  // namespace weft
