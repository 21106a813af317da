#include "generation/scheduler.h"

#include <algorithm>

namespace weft::generation {

std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget) {
  std::vector<Schedulable> order(requests.begin(), requests.end());
  std::ranges::stable_sort(order, {}, &Schedulable::request_class);
  std::vector<ScheduledPart> parts;
  std::size_t tokens_left = budget.tokens;
  for (const Schedulable& request : order) {
    if (parts.size() == budget.sequences || tokens_left == 0) break;
    const std::size_t tokens = std::min(request.pending_tokens, tokens_left);
    parts.push_back({request.id, tokens});
    tokens_left -= tokens;
  }
  return parts;
}

}  // namespace weft::generation
