#include "generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "generation/sampling.h"
#include "model/base/check.h"

namespace weft::generation {
namespace {

constexpr double kLengthPower = 0.7;

bool better(const Extension& a, const Extension& b) {
  if (a.sum != b.sum) return a.sum > b.sum;
  return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
}

}  // namespace

std::vector<Extension> best_extensions(std::span<const Line> lines, std::span<const float> rows, std::size_t count) {
  const std::size_t vocabulary = rows.size() / lines.size();
  WEFT_CHECK(vocabulary * lines.size() == rows.size() && count > 0);
  std::vector<Extension> best;  // a heap with the worst in front
  for (std::size_t parent = 0; parent < lines.size(); ++parent) {
    const std::span<const float> row = rows.subspan(parent * vocabulary, vocabulary);
    const double normaliser = log_sum_exp(row);
    const double base = lines[parent].logprob_sum - normaliser;
    for (std::size_t token = 0; token < vocabulary; ++token) {
      // Nearly all are far from the best, and rounding decides nothing there.
      const bool hopeless = best.size() == count && row[token] + base < best.front().sum - 1e-6;
      if (hopeless || !std::isfinite(row[token])) continue;
      const double logprob = row[token] - normaliser;
      const Extension extension{parent, TokenId(static_cast<std::int32_t>(token)), logprob,
                                lines[parent].logprob_sum + logprob};
      if (best.size() == count) {
        if (!better(extension, best.front())) continue;
        std::ranges::pop_heap(best, better);
        best.pop_back();
      }
      best.push_back(extension);
      std::ranges::push_heap(best, better);
    }
  }
  std::ranges::sort_heap(best, better);
  return best;
}

SequenceMoves assign_sequences(std::span<const Line> parents, std::span<const std::size_t> parent_of_child,
                               Position length, std::span<Line> children, const NewSequence& new_sequence) {
  WEFT_CHECK(children.size() == parent_of_child.size());
  SequenceMoves moves;
  std::vector<bool> goes_on(parents.size(), false);
  for (std::size_t child = 0; child < children.size(); ++child) {
    const std::size_t parent = parent_of_child[child];
    if (!goes_on[parent]) {
      children[child].sequence = parents[parent].sequence;
      goes_on[parent] = true;
    } else {
      children[child].sequence = new_sequence();
      moves.forks.push_back({parents[parent].sequence, children[child].sequence, length});
    }
  }
  for (std::size_t parent = 0; parent < parents.size(); ++parent) {
    if (!goes_on[parent]) moves.released.push_back(parents[parent].sequence);
  }
  return moves;
}

double length_normalised(double logprob_sum, std::size_t length) {
  return logprob_sum / std::pow(static_cast<double>(length), kLengthPower);
}

double logprob_sum_of(double normalised, std::size_t length) {
  return normalised * std::pow(static_cast<double>(length), kLengthPower);
}

void KeptHypotheses::add(Kept kept) {
  const auto place = std::ranges::upper_bound(kept_, kept.hypothesis.score, std::greater<>(),
                                              [](const Kept& each) { return each.hypothesis.score; });
  kept_.insert(place, std::move(kept));
  if (kept_.size() > width_) kept_.pop_back();
}

// Log-probabilities only sum downward, and the greatest length divides most.
bool KeptHypotheses::decided(double best_open_sum) const {
  return kept_.size() == width_ && length_normalised(best_open_sum, longest_) <= kept_.back().hypothesis.score;
}

}  // namespace weft::generation
