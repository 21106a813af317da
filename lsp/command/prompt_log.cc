#include "lsp/command/prompt_log.h"

#include <algorithm>
#include <utility>

namespace weft::lsp {

using generation::FinishReason;
using generation::GenerationResult;

void PromptLog::watch(const generation::GenerationRequest& request, generation::EventSink& sink) {
  const std::lock_guard lock(mutex_);
  const std::size_t index = prompts_.size();
  LoggedPrompt& logged = prompts_.emplace_back();
  logged.tokens = request.prompt;
  logged.adapter = request.adapter;
  logged.at_ms = milliseconds_between(begin_, clock_->now());
  sink.on_done = [this, index, inner = std::move(sink.on_done)](GenerationResult result) {
    finish(index, result);
    if (inner) inner(std::move(result));
  };
}

void PromptLog::finish(std::size_t index, const GenerationResult& result) {
  const std::lock_guard lock(mutex_);
  LoggedPrompt& logged = prompts_[index];
  logged.timings = result.timings;
  logged.finished = result.reason != FinishReason::kCancelled && result.reason != FinishReason::kFailed;
  logged.computed = logged.finished || result.timings.generated_tokens > 0;
}

PrefixReuse judge_reuse(const std::vector<LoggedPrompt>& prompts) {
  PrefixReuse out;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const LoggedPrompt& prompt = prompts[i];
    if (!prompt.computed) continue;
    std::size_t reusable = 0;
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      const LoggedPrompt& other = prompts[earlier];
      if (!other.computed || other.adapter != prompt.adapter) continue;
      const auto [end, unused] = std::ranges::mismatch(prompt.tokens, other.tokens);
      reusable = std::max(reusable, static_cast<std::size_t>(end - prompt.tokens.begin()));
    }
    reusable = std::min(reusable, prompt.tokens.size() - 1);
    const std::size_t all = prompt.timings.prompt_tokens;
    const std::size_t reused = all - std::min(all, prompt.timings.prefilled_tokens);
    ++out.prompts;
    out.prompt_tokens += prompt.tokens.size();
    out.reusable_tokens += reusable;
    out.reused_tokens += std::min(reused, reusable);
  }
  return out;
}

}  // namespace weft::lsp
