#include "generation/completion/candidates.h"

#include <algorithm>
#include <utility>

#include "generation/completion/filter.h"

namespace weft::generation {

Ranked rank_candidates(std::span<const GenerationResult> results, const CursorPlace& place, const StopRules& rules) {
  struct Candidate {
    CompletionItem item;
    int errors = 0;
  };
  Ranked ranked;
  std::vector<Candidate> candidates;
  for (const GenerationResult& result : results) {
    if (result.reason == FinishReason::kFailed) continue;
    Filtered filtered = filter_text(result.text, place, rules, result.reason);
    if (filtered.text.empty()) {
      if (ranked.reason.empty()) ranked.reason = filtered.reason;
      continue;
    }
    const auto same = [&filtered](const Candidate& other) { return other.item.text == filtered.text; };
    if (std::ranges::any_of(candidates, same)) continue;
    const std::size_t cursor = place.before.size();
    candidates.push_back({{std::move(filtered.text), cursor, cursor, result.mean_logprob}});
  }
  if (candidates.size() > 1) {
    for (Candidate& candidate : candidates)
      candidate.errors = std::max(0, syntax_errors_added(place, candidate.item.text));
    std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
      return a.errors != b.errors ? a.errors < b.errors : a.item.score > b.item.score;
    });
  }
  for (Candidate& candidate : candidates) ranked.items.push_back(std::move(candidate.item));
  if (!ranked.items.empty()) ranked.reason.clear();
  return ranked;
}

}  // namespace weft::generation
