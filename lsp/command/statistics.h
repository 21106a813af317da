// Summaries of samples. Pure.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/eval/statistics.h"

namespace weft::lsp {

using adapters::percentile;
// The mean of the two in the middle where their number is even. 0 of nothing.
[[nodiscard]] double median(std::vector<double> values);
[[nodiscard]] double mean(const std::vector<double>& values);
// {"p50", "p95", "p99", "mean"}
[[nodiscard]] nlohmann::json spread(const std::vector<double>& values);

}  // namespace weft::lsp
