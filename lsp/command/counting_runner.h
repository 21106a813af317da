// CountingRunner: any ModelRunner, and how many tokens it was made to compute. `step` on the engine thread; the count
// from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "model/runner.h"

namespace weft::lsp {

class CountingRunner final : public model::ModelRunner {
 public:
  explicit CountingRunner(std::shared_ptr<model::ModelRunner> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] const model::RunnerInfo& info() const override { return inner_->info(); }
  [[nodiscard]] std::size_t free_kv_tokens() const override { return inner_->free_kv_tokens(); }
  Expected<model::StepResult> step(const model::StepPlan& plan) override {
    std::size_t tokens = 0;
    for (const model::StepSequence& sequence : plan.sequences) tokens += sequence.tokens.size();
    tokens_ += tokens;
    return inner_->step(plan);
  }
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const model::LoraAdapter> adapter) override {
    return inner_->install_adapter(id, std::move(adapter));
  }
  void remove_adapter(AdapterId id) override { inner_->remove_adapter(id); }

  [[nodiscard]] std::size_t tokens() const { return tokens_; }

 private:
  const std::shared_ptr<model::ModelRunner> inner_;
  std::atomic<std::size_t> tokens_ = 0;
};

}  // namespace weft::lsp
