// Scheduler: which requests the next step serves, and how many tokens of each. A pure function of what is waiting: it
// reads no clock and owns no tensor. A request that a better class overtakes just waits with its KV.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generation/engine.h"

namespace weft::generation {

struct SchedulerBudget {
  std::size_t sequences = 1;  // in one step
  std::size_t tokens = 256;  // in one step: prompts are cut into such chunks, so that cancellation is read between them
};

struct Schedulable {
  RequestId id;
  RequestClass request_class = RequestClass::kInteractive;
  std::size_t pending_tokens = 0;  // at least one
};

struct ScheduledPart {
  RequestId id;
  std::size_t tokens = 0;  // at least one; the first of those pending
};

// `requests` in the order of submission. Better classes first, first come first served inside a class. Not empty when
// `requests` is not.
[[nodiscard]] std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget);

}  // namespace weft::generation
