// Engine: turns requests into events. `submit` and `cancel` are thread-safe; all else happens on the engine thread (or
// inside `poll` in sync mode, threads = 0). Cancellation is read between steps. Every submitted request gets exactly
// one final event (finished, cancelled or failed), also when the engine is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generation/memory/token_memory.h"
#include "generation/metrics.h"
#include "generation/sampling.h"
#include "generation/stop.h"
#include "model/base/clock.h"
#include "model/runner.h"
#include "model/tokenizer/prefix_trie.h"

namespace weft::generation {

struct MemoryWeights;

// In the order of service. Background work waits while there is other, and gives way to it where memory is short.
enum class RequestClass { kInteractive, kUserWaiting, kBackground };

struct GenerationRequest {
  std::vector<TokenId> prompt;  // at least one token
  SamplingOptions sampling;     // greedy unless temperature > 0
  std::size_t max_new_tokens = 64;
  std::vector<TokenId> stop_tokens;     // never part of the text
  std::unique_ptr<StopCondition> stop;  // may be null
  RequestClass request_class = RequestClass::kInteractive;
  AdapterId adapter;  // 0: the base alone. A request for an adapter that is not installed fails.
  // What stands behind the prompt already, such as the word that the cursor is in: the first tokens spell it, whatever
  // the model prefers, and the last of them may go on behind it. It is no part of the text; tokens that are of nothing
  // else count to the prompt. The first token's log-probability is given that it ends the opening.
  std::string opening;
  // The text begins with none of these characters. ASCII.
  std::string not_first;
  // The first tokens generated are these, whatever the model prefers; their log-probabilities are the model's own.
  // Neither stop tokens nor the stop condition end them. Not after an opening.
  std::vector<TokenId> forced;
  // More than 1: beam search of that width (at most 8), deterministic; `sampling` is not looked at. `on_text` is not
  // called.
  std::size_t beams = 1;
  // Sessions are served alike: who was served less of late goes first. KV is reused across them.
  std::string session;
  TimePoint deadline = TimePoint::max();  // by when an answer is of use; orders the requests of one class
  // What the texts at hand say of the next token; drafts come from it. May be null.
  std::shared_ptr<const TokenMemory> memory;
  // What the memory is asked behind, where that is not the end of the prompt: a control token may stand there.
  std::vector<TokenId> memory_context;
  // With it the memory is mixed into the model's distribution; log-probabilities are then the mixture's. May be null.
  std::shared_ptr<const MemoryWeights> memory_weights;
  // Tokens are guessed from the prompt, the output and the memory and verified several in a step. What comes out is the
  // same with and without, token for token, where the model computes a row alike beside others.
  bool speculate = true;
};

enum class FinishReason { kStopToken, kStopCondition, kLength, kCancelled, kFailed };

struct GenerationTimings {
  double queue_ms = 0, prefill_ms = 0, decode_ms = 0;
  std::size_t prompt_tokens = 0, prefilled_tokens = 0, generated_tokens = 0;
  std::size_t cached_tokens = 0;                        // of the prompt, whose KV was there
  std::size_t drafted_tokens = 0, accepted_tokens = 0;  // by speculation
  std::size_t steps = 0;                                // that had a part of it
};

// One finished line of a beam search.
struct Hypothesis {
  std::string text;
  std::vector<TokenId> tokens;
  double score = 0;  // sum of log-probabilities / length^0.7, stop token included (Wu et al. 2016's form, simplified)
  FinishReason reason = FinishReason::kLength;
};

struct GenerationResult {
  RequestId id;
  FinishReason reason = FinishReason::kFailed;
  std::string error;  // when failed
  std::string text;   // whole UTF-8 characters, after the stop condition's cut
  std::vector<TokenId> tokens;
  double mean_logprob = 0;             // of the generated tokens, natural log
  std::vector<double> logprobs;        // of each of `tokens`
  std::vector<Hypothesis> hypotheses;  // beams > 1: best first, the first being `text` and `tokens`
  GenerationTimings timings;
};

// What has been generated of a request that goes on; valid during the call.
struct TextSoFar {
  RequestId id;
  std::string_view text;
  std::span<const TokenId> tokens;
  std::span<const double> logprobs;  // of each of `tokens`
};

// Called on the engine thread; it must not block and must not call back into the engine except submit and cancel.
struct EventSink {
  std::function<void(const TextSoFar&)> on_text;  // may be empty
  std::function<void(GenerationResult)> on_done;
};

struct EngineOptions {
  int threads = 1;                      // 0: sync mode, `poll` runs one step
  std::size_t queue_limit = 64;         // unfinished requests; further submissions fail before the next step
  std::size_t sequences_per_step = 16;  // all lines of a beam search count as one
  std::size_t tokens_per_step = 256;    // longer prompts take several steps
  std::size_t shared_tokens = 64;       // of prompts in a step that serves several requests
  // A step should not take longer, since cancellation is read between steps: prompts are cut smaller where the model is
  // slow, down to `tokens_per_step` / 8.
  std::chrono::milliseconds step_time{200};
  // Sees each request and the sink that waits for it, which it may wrap, on the submitting thread. May be empty.
  std::function<void(const GenerationRequest&, EventSink&)> on_submit{};
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
  // Publishes an adapter between two steps. `done` is called on the engine thread (in sync mode inside `poll`), exactly
  // once, also when the engine is destroyed: the id for requests, or why the model refuses it.
  void install_adapter(std::shared_ptr<const model::LoraAdapter> adapter,
                       std::function<void(Expected<AdapterId>)> done);
  // No new request may name it; it is retired when the last that does has ended. Unknown ids are ignored.
  void remove_adapter(AdapterId id);
  // Sync mode: drains the inbox, runs one step; false when there is nothing left to do. Does nothing in threaded mode.
  bool poll();

  [[nodiscard]] EngineMetrics metrics() const;  // thread-safe
  [[nodiscard]] const model::RunnerInfo& model_info() const;
  [[nodiscard]] const model::Tokenizer& tokenizer() const;
  [[nodiscard]] std::shared_ptr<const model::Tokenizer> shared_tokenizer() const;
  [[nodiscard]] const model::PrefixTrie& prefix_trie() const;  // of the tokenizer

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::generation
