#include "adapters/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "adapters/data/random.h"
#include "model/base/check.h"

namespace weft::adapters {
namespace {

constexpr double kZ = 1.959964;  // 97.5 % of the normal distribution
constexpr std::size_t kResamples = 1000;
constexpr std::uint64_t kSeed = 0xB0075;

}  // namespace

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Interval wilson(std::size_t hits, std::size_t all) {
  if (all == 0) return {0, 0, 1};
  const auto n = static_cast<double>(all);
  const double share = static_cast<double>(hits) / n;
  const double weight = 1 + kZ * kZ / n;
  const double middle = (share + kZ * kZ / (2 * n)) / weight;
  const double half = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n)) / weight;
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Interval bootstrap(std::size_t n, const Statistic& statistic) {
  if (n == 0) return {};
  std::vector<std::size_t> sample(n);
  std::iota(sample.begin(), sample.end(), std::size_t{0});
  const double value = statistic(sample);
  Random random(kSeed, n);
  std::vector<double> values;
  for (std::size_t round = 0; round < kResamples; ++round) {
    for (std::size_t& index : sample) index = random.below(n);
    values.push_back(statistic(sample));
  }
  std::ranges::sort(values);
  return {value, values[kResamples / 40], values[kResamples - 1 - kResamples / 40]};
}

Interval mean_interval(std::span<const double> values) {
  return bootstrap(values.size(), [values](std::span<const std::size_t> sample) {
    double sum = 0;
    for (const std::size_t i : sample) sum += values[i];
    return sum / static_cast<double>(sample.size());
  });
}

Interval difference_interval(std::span<const double> before, std::span<const double> after) {
  WEFT_CHECK(before.size() == after.size());
  std::vector<double> differences(before.size());
  std::ranges::transform(after, before, differences.begin(), std::minus{});
  return mean_interval(differences);
}

}  // namespace weft::adapters
