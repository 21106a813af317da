// Summaries of samples, and how sure a measured number is: 95 % intervals of shares, means and differences.
// Deterministic. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace weft::adapters {

// At most this much is the `share` of the values: nearest rank; `share` in [0, 1]. 0 of nothing.
[[nodiscard]] double percentile(std::vector<double> values, double share);

struct Interval {
  double value = 0, low = 0, high = 0;
};

// Of `hits` among `all` (Wilson 1927). None at all: a value of 0 that may be anything from 0 to 1.
[[nodiscard]] Interval wilson(std::size_t hits, std::size_t all);

// A statistic of a sample, by its indices; they may come more than once.
using Statistic = std::function<double(std::span<const std::size_t> sample)>;
// Its value on all of 0 … n-1, and the middle 95 % of its values on resamples (Efron 1979). A paired difference is a
// statistic that looks at both members of a pair.
[[nodiscard]] Interval bootstrap(std::size_t n, const Statistic& statistic);

// The means of a sample and of a paired difference.
[[nodiscard]] Interval mean_interval(std::span<const double> values);
[[nodiscard]] Interval difference_interval(std::span<const double> before, std::span<const double> after);

}  // namespace weft::adapters
