// Scheduler: which requests the next step serves, and how many tokens of each. A pure function of what is waiting: it
// reads no clock and owns no tensor. A request that a better class overtakes just waits with its KV. A prompt may be
// cut anywhere; the lines of a beam search go on together or wait together, and count as one request.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generation/engine.h"

namespace weft::generation {

struct SchedulerBudget {
  std::size_t requests = 1;  // in one step
  std::size_t tokens = 256;  // in one step: prompts are cut into such chunks, so that cancellation is read between them
};

struct Schedulable {
  RequestId id;
  RequestClass request_class = RequestClass::kInteractive;
  std::size_t pending_tokens = 0;  // at least one
  std::size_t least_tokens = 1;    // fewer are of no use; at most the pending ones
};

struct ScheduledPart {
  RequestId id;
  std::size_t tokens = 0;  // at least the least; the first of those pending
};

// `requests` in the order of submission. Better classes first, first come first served inside a class. Not empty when
// `requests` is not: the first one's least is served even where it is more than the budget.
[[nodiscard]] std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget);

}  // namespace weft::generation
