#include "lsp/command/statistics.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace weft::lsp {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

nlohmann::json spread(const std::vector<double>& values) {
  return {{"p50", percentile(values, 0.5)},
          {"p95", percentile(values, 0.95)},
          {"p99", percentile(values, 0.99)},
          {"mean", mean(values)}};
}

}  // namespace weft::lsp
