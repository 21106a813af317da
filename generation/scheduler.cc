#include "generation/scheduler.h"

#include <algorithm>

namespace weft::generation {

std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget) {
  std::vector<Schedulable> order(requests.begin(), requests.end());
  std::ranges::stable_sort(order, {}, &Schedulable::request_class);
  std::vector<ScheduledPart> parts;
  std::size_t tokens_left = budget.tokens;
  for (const Schedulable& request : order) {
    const bool fits = request.least_tokens <= tokens_left;
    if (parts.size() == budget.requests || (!fits && !parts.empty())) break;
    const std::size_t tokens = fits ? std::min(request.pending_tokens, tokens_left) : request.least_tokens;
    parts.push_back({request.id, tokens});
    tokens_left -= std::min(tokens, tokens_left);
  }
  return parts;
}

}  // namespace weft::generation
