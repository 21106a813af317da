// Engine: turns requests into events. `submit` and `cancel` are thread-safe; all else happens on the engine thread (or
// inside `poll` in sync mode, threads = 0). Cancellation is read between steps. Every submitted request gets exactly
// one final event (finished, cancelled or failed), also when the engine is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "generation/sampling.h"
#include "generation/stop.h"
#include "model/base/clock.h"
#include "model/runner.h"

namespace weft::generation {

enum class RequestClass { kInteractive, kUserWaiting, kBackground };

struct GenerationRequest {
  std::vector<TokenId> prompt;  // at least one token
  SamplingOptions sampling;     // greedy unless temperature > 0
  std::size_t max_new_tokens = 64;
  std::vector<TokenId> stop_tokens;     // never part of the text
  std::unique_ptr<StopCondition> stop;  // may be null
  RequestClass request_class = RequestClass::kInteractive;
  // KV of the same session's last sequence is reused where the prompt agrees. Empty: nothing is reused or kept.
  std::string session;
};

enum class FinishReason { kStopToken, kStopCondition, kLength, kCancelled, kFailed };

struct GenerationTimings {
  double queue_ms = 0, prefill_ms = 0, decode_ms = 0;
  std::size_t prompt_tokens = 0, prefilled_tokens = 0, generated_tokens = 0;
};

struct GenerationResult {
  RequestId id;
  FinishReason reason = FinishReason::kFailed;
  std::string error;  // when failed
  std::string text;   // whole UTF-8 characters, after the stop condition's cut
  std::vector<TokenId> tokens;
  double mean_logprob = 0;  // of the generated tokens, natural log
  GenerationTimings timings;
};

// Called on the engine thread; it must not block and must not call back into the engine except submit and cancel.
struct EventSink {
  std::function<void(RequestId, std::string_view text_so_far)> on_text;  // may be empty
  std::function<void(GenerationResult)> on_done;
};

struct EngineOptions {
  int threads = 1;               // 0: sync mode, `poll` runs one step
  std::size_t queue_limit = 64;  // unfinished requests; further submissions fail before the next step
  std::size_t sequences_per_step = 1;
  std::size_t tokens_per_step = 256;  // longer prompts take several steps
  std::size_t kept_sessions = 8;      // whose KV outlives their request, the last used
};

class Engine {
 public:
  Engine(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
         std::shared_ptr<const Clock> clock, EngineOptions options = {});
  ~Engine();  // not on the engine thread
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  RequestId submit(GenerationRequest request, EventSink sink);
  void cancel(RequestId id);  // unknown or finished ids are ignored
  // Sync mode: drains the inbox, runs one step; false when there is nothing left to do. Does nothing in threaded mode.
  bool poll();

  [[nodiscard]] const model::RunnerInfo& model_info() const;
  [[nodiscard]] const model::Tokenizer& tokenizer() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::generation
