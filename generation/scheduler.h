// Scheduler: which requests the next step serves, and how many tokens of each. A pure function of what is waiting and
// of the time that it is told: it reads no clock and owns no tensor. Same input, same plan.
//
// - A better class goes first, and while it has work a worse one gets nothing: it waits with its KV. Who has waited
//   for longer than `patience` counts as of the best class, so that nobody starves.
// - Inside a class a session that was served less goes first, then the earlier deadline, then the earlier submission;
//   whose deadline is over goes behind those who can still make theirs.
// - Whoever decodes goes on in every step of its class: a few rows more cost little. What is left of the step's tokens
//   goes to prompts, which may be cut anywhere; beside decoding, or beside each other, they get smaller pieces, since
//   the others wait for the step's end (Agrawal et al. 2024, Sarathi-Serve).
// - The lines of a beam search go on together or wait together, and count as one request.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "generation/engine.h"

namespace weft::generation {

struct SchedulerBudget {
  std::size_t requests = 1;        // in one step
  std::size_t tokens = 256;        // in one step
  std::size_t shared_tokens = 64;  // of prompts, in a step that serves several requests
  TimePoint now{};
  std::chrono::milliseconds patience{5000};
};

struct Schedulable {
  RequestId id;
  RequestClass request_class = RequestClass::kInteractive;
  std::size_t pending_tokens = 0;  // at least one
  std::size_t least_tokens = 1;    // it is served in multiples of it; pending_tokens is one
  bool decodes = false;            // the prompt is computed
  double served = 0;               // what its session had of late, in tokens
  TimePoint deadline = TimePoint::max();
  TimePoint waits_since{};  // last served, or submitted
};

struct ScheduledPart {
  RequestId id;
  std::size_t tokens = 0;  // a multiple of the least; the first of those pending
};

// `requests` in the order of submission. The parts are in the order of service. Not empty when `requests` is not: the
// first one's least is served even where it is more than the budget.
[[nodiscard]] std::vector<ScheduledPart> schedule(std::span<const Schedulable> requests, const SchedulerBudget& budget);

}  // namespace weft::generation
