#include "tests/support/watched_runner.h"

#include <algorithm>

namespace weft::test {

Expected<model::StepResult> WatchedRunner::step(const model::StepPlan& plan) {
  if (plan.sequences.empty()) return inner_->step(plan);
  gate_.pass();
  if (steps_++ == failing_step_) return make_error("{}", kFailure);
  std::size_t tokens = 0;
  for (const model::StepSequence& part : plan.sequences) tokens += part.tokens.size();
  tokens_ += tokens;
  most_tokens_in_step_ = std::max(most_tokens_in_step_.load(), tokens);
  return inner_->step(plan);
}

}  // namespace weft::test
