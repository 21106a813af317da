// Summaries of samples. Pure.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

namespace weft::lsp {

// Nearest rank; `share` in [0, 1]. 0 of nothing.
[[nodiscard]] double percentile(std::vector<double> values, double share);
// The mean of the two in the middle where their number is even. 0 of nothing.
[[nodiscard]] double median(std::vector<double> values);
[[nodiscard]] double mean(const std::vector<double>& values);
// {"p50", "p95", "p99", "mean"}
[[nodiscard]] nlohmann::json spread(const std::vector<double>& values);

}  // namespace weft::lsp
