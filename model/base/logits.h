// A row of logits as a distribution. A logit that is not finite has no share: minus infinity by meaning, the others
// because they are a runner's bug. Pure; the same logits give the same bits.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

namespace weft {

// The largest finite logit and the lowest id that has it; minus infinity: there is none.
struct Peak {
  std::size_t index = 0;
  double logit = -std::numeric_limits<double>::infinity();
};
[[nodiscard]] Peak find_peak(std::span<const float> logits);

// Natural log of the sum of exp(logit) over logits [V]: a token's log-probability is its logit less this. Minus
// infinity when no logit is finite. To about 1e-6.
[[nodiscard]] double log_sum_exp(std::span<const float> logits);
[[nodiscard]] double log_sum_exp(std::span<const float> logits, const Peak& peak);  // the row's peak

}  // namespace weft
