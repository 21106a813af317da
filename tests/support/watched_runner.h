// WatchedRunner: any ModelRunner, with a gate before its steps, a step that fails on cue, and counts. For tests that
// run against the fake and the real model alike. `step` on the engine thread; all else thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>

#include "model/runner.h"
#include "tests/support/gate.h"

namespace weft::test {

class WatchedRunner final : public model::ModelRunner {
 public:
  explicit WatchedRunner(std::shared_ptr<model::ModelRunner> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] const model::RunnerInfo& info() const override { return inner_->info(); }
  [[nodiscard]] std::size_t free_kv_tokens() const override { return inner_->free_kv_tokens(); }
  Expected<model::StepResult> step(const model::StepPlan& plan) override;
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const model::LoraAdapter> adapter) override {
    return inner_->install_adapter(id, std::move(adapter));
  }
  void remove_adapter(AdapterId id) override { inner_->remove_adapter(id); }

  [[nodiscard]] Gate& gate() { return gate_; }  // passed before each step that has tokens
  // The step with this number, counted from 0 over all steps with tokens, fails; the inner runner never sees it.
  void fail_at(std::size_t step) { failing_step_ = step; }
  [[nodiscard]] std::size_t steps() const { return steps_; }  // with tokens, the failed ones too
  [[nodiscard]] std::size_t tokens() const { return tokens_; }
  [[nodiscard]] std::size_t most_tokens_in_step() const { return most_tokens_in_step_; }

  static constexpr const char* kFailure = "the device is gone";

 private:
  const std::shared_ptr<model::ModelRunner> inner_;
  Gate gate_;
  std::atomic<std::size_t> steps_ = 0, tokens_ = 0, most_tokens_in_step_ = 0;
  std::atomic<std::size_t> failing_step_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace weft::test
