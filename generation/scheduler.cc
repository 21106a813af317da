#include "generation/scheduler.h"

#include <algorithm>
#include <tuple>

namespace weft::generation {
namespace {

RequestClass class_now(const Schedulable& request, const SchedulerBudget& budget) {
  const bool impatient = budget.now - request.waits_since > budget.patience;
  return impatient ? RequestClass::kInteractive : request.request_class;
}

// Those of the best class that has work, in the order of service.
std::vector<Schedulable> candidates(std::span<const Schedulable> requests, const SchedulerBudget& budget) {
  const auto of_class = [&](const Schedulable& request) { return class_now(request, budget); };
  const RequestClass best = of_class(*std::ranges::min_element(requests, {}, of_class));
  std::vector<Schedulable> out;
  std::ranges::copy_if(requests, std::back_inserter(out),
                       [&](const Schedulable& request) { return of_class(request) == best; });
  std::ranges::stable_sort(out, {}, [&](const Schedulable& request) {
    return std::tuple(request.deadline < budget.now, request.served, request.deadline);
  });
  return out;
}

}  // namespace

std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget) {
  if (requests.empty()) return {};
  const std::vector<Schedulable> order = candidates(requests, budget);
  std::vector<ScheduledPart> parts;
  std::size_t left = budget.tokens;
  const auto serve = [&](const Schedulable& request, std::size_t most) {
    std::size_t tokens = std::min({request.pending_tokens, most, left}) / request.least_tokens * request.least_tokens;
    if (tokens == 0 && !parts.empty()) return;
    tokens = std::max(tokens, request.least_tokens);
    parts.push_back({request.id, tokens});
    left -= std::min(tokens, left);
  };
  const auto serve_all = [&](bool decoding, std::size_t most) {
    for (const Schedulable& request : order) {
      if (request.decodes == decoding && parts.size() < budget.requests) serve(request, most);
    }
  };
  serve_all(true, budget.tokens);
  const auto prompts = static_cast<std::size_t>(std::ranges::count(order, false, &Schedulable::decodes));
  const bool alone = parts.size() + prompts == 1;
  serve_all(false, alone ? budget.tokens : budget.shared_tokens);
  return parts;
}

}  // namespace weft::generation
