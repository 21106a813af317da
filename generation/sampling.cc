#include "generation/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "generation/philox.h"

namespace weft::generation {
namespace {

struct Candidate {
  std::size_t index;
  double weight;  // relative to the likeliest, whose weight is 1
};

// By weight downward; ties to the lower id.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.index < b.index;
}

// The likeliest first, the `top_k` likeliest alone. Never empty when a logit is finite.
std::vector<Candidate> candidates(std::span<const float> logits, double peak, const SamplingOptions& options) {
  std::vector<Candidate> out;
  out.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) continue;
    const double weight = std::exp((logits[i] - peak) / options.temperature);
    if (weight > 0) out.push_back({i, weight});
  }
  if (options.top_k > 0 && static_cast<std::size_t>(options.top_k) < out.size()) {
    std::partial_sort(out.begin(), out.begin() + options.top_k, out.end(), likelier);
    out.resize(static_cast<std::size_t>(options.top_k));
  } else {
    std::ranges::sort(out, likelier);
  }
  return out;
}

double total_weight(std::span<const Candidate> candidates) {
  double sum = 0;
  for (const Candidate& candidate : candidates) sum += candidate.weight;
  return sum;
}

// The fewest of the likeliest that reach the share `top_p`; at least one.
void keep_nucleus(std::vector<Candidate>& candidates, double top_p) {
  if (top_p >= 1 || candidates.empty()) return;
  const double wanted = top_p * total_weight(candidates);
  double sum = 0;
  std::size_t kept = 0;
  do {
    sum += candidates[kept++].weight;
  } while (kept < candidates.size() && sum < wanted);
  candidates.resize(kept);
}

// What has at least `min_p` of the likeliest's share.
void drop_unlikely(std::vector<Candidate>& candidates, double min_p) {
  const auto end =
      std::ranges::find_if(candidates, [&](const Candidate& c) { return c.weight < std::min(min_p, 1.0); });
  candidates.erase(end, candidates.end());
}

std::size_t draw(std::span<const Candidate> candidates, double uniform) {
  double left = uniform * total_weight(candidates);
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate.index;
  }
  return candidates.back().index;  // rounding only
}

}  // namespace

Sampled sample(std::span<const float> logits, const SamplingOptions& options, std::uint64_t step) {
  const Peak peak = find_peak(logits);
  if (!std::isfinite(peak.logit)) return {TokenId(0), peak.logit};
  std::size_t chosen = peak.index;
  if (options.temperature > 0) {
    std::vector<Candidate> kept = candidates(logits, peak.logit, options);
    keep_nucleus(kept, options.top_p);
    drop_unlikely(kept, options.min_p);
    chosen = draw(kept, philox_uniform(options.seed, step));
  }
  return {TokenId(static_cast<std::int32_t>(chosen)), logits[chosen] - log_sum_exp(logits, peak)};
}

}  // namespace weft::generation
