// PromptLog: the prompts that an engine was given, in their order, and what became of them. Thread-safe.
//
// It is how prefix reuse is judged without asking the cache that does it: what could have been reused of a prompt is
// the longest beginning that it shares with any earlier one, compared token by token.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "generation/engine.h"
#include "model/base/clock.h"

namespace weft::lsp {

struct LoggedPrompt {
  std::vector<TokenId> tokens;
  AdapterId adapter;
  double at_ms = 0;  // since the log began
  // Set once it is done; a request that was cancelled before its first token tells nothing about reuse.
  bool computed = false;
  bool finished = false;  // not cancelled, not failed
  generation::GenerationTimings timings;
};

struct PrefixReuse {
  std::size_t prompts = 0;          // computed ones
  std::size_t prompt_tokens = 0;    // of all of them
  std::size_t reusable_tokens = 0;  // of those; never a prompt's last one, whose logits have to be computed
  std::size_t reused_tokens = 0;    // of the reusable ones
};

class PromptLog {
 public:
  explicit PromptLog(std::shared_ptr<const Clock> clock) : clock_(std::move(clock)), begin_(clock_->now()) {}

  // For EngineOptions::on_submit. The log outlives the engine.
  void watch(const generation::GenerationRequest& request, generation::EventSink& sink);
  // In the order of submission. Not while the engine works.
  [[nodiscard]] const std::vector<LoggedPrompt>& prompts() const { return prompts_; }

 private:
  void finish(std::size_t index, const generation::GenerationResult& result);

  const std::shared_ptr<const Clock> clock_;
  const TimePoint begin_;
  std::mutex mutex_;
  std::vector<LoggedPrompt> prompts_;
};

// Every prompt against every earlier one of the same adapter.
[[nodiscard]] PrefixReuse judge_reuse(const std::vector<LoggedPrompt>& prompts);

}  // namespace weft::lsp
