// What a runner checks of a StepPlan before it does anything of it, so that a plan is carried out whole or not at all.
// Free of torch. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "model/runner.h"

namespace weft::model {

struct HeldLength {
  std::int64_t tokens = 0;
  AdapterId adapter;
};

struct RunnerState {
  const RunnerInfo& info;
  std::function<std::optional<HeldLength>(SequenceId)> held;  // nothing: no such sequence
  std::function<bool(AdapterId)> has_adapter;                 // is asked of ids that are not 0
};

// Error: the first thing that the runner cannot do, see ModelRunner::step.
Expected<void> check_plan(const StepPlan& plan, const RunnerState& state);

}  // namespace weft::model
