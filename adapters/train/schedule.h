// The learning rate's course: warm-up, stable, decay (Hu et al. 2024, MiniCPM). A run can be longer than planned, and a
// decay can branch off at any stable step. Pure.
#pragma once

#include <algorithm>
#include <cstddef>

namespace weft::adapters {

struct Schedule {
  std::size_t warmup_steps = 0;
  std::size_t decay_begin = 0, decay_end = 0;  // from decay_end on the scale is 0
  // Of step `step`, 0-based: rises to 1 over the warm-up, falls linearly over the decay; never 0 before decay_end.
  [[nodiscard]] double scale(std::size_t step) const {
    const auto fraction = [](std::size_t part, std::size_t whole) {
      return static_cast<double>(part) / static_cast<double>(whole);
    };
    const double up = step < warmup_steps ? fraction(step + 1, warmup_steps) : 1.0;
    if (step < decay_begin) return up;
    if (step >= decay_end) return 0.0;
    return std::min(up, fraction(decay_end - step, decay_end - decay_begin));
  }
};

}  // namespace weft::adapters
