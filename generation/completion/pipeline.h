// Pipeline: the order of things, and the book-keeping of requests under way. A request is looked up in the cache; what
// is not there becomes a prompt on the caller's thread, the engine generates, and its last candidate is filtered,
// ranked and stored on the engine thread. It is what the engine's sinks hold, and may outlive the service; it uses the
// engine only where that is there for certain: when its owner calls, and in a sink. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generation/completion/candidates.h"
#include "generation/completion/completion.h"
#include "generation/completion/context.h"
#include "generation/completion/memories.h"
#include "generation/completion/place.h"
#include "generation/completion/prompt.h"
#include "generation/completion/result_cache.h"
#include "generation/completion/stop.h"

namespace weft::generation {

class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  using Done = CompletionService::Done;

  Pipeline(Engine& engine, model::ModelConfig config, std::shared_ptr<const Clock> clock, CompletionOptions options);

  RequestId complete(CompletionRequest request, Done done);
  // What has been answered goes on: it is not the caller's any more.
  void cancel(RequestId id);
  [[nodiscard]] const ProjectMemories& projects() const { return memories_.projects(); }
  // Cancels everything; nothing is started any more.
  void close();
  void read_project(const std::string& root) { memories_.read_project(root); }

 private:
  // One request between `complete` and its end. The place's views live as long as the text.
  struct Pending {
    // `at`: of the request.
    Pending(CompletionRequest asked, const CursorPlace& at, std::size_t max_lines)
        : request(std::move(asked)), place(at), rules(choose_stop_rules(at, request.trigger, max_lines)) {}
    CompletionRequest request;
    CursorPlace place;
    StopRules rules;
    std::string opening;                                  // the prompt's
    std::shared_ptr<const EnvironmentIndex> environment;  // that it remembers; may be null
    Done done;                                            // empty once called, and where nobody waits
    CompletionTimings timings;
    TimePoint begun;
    std::vector<RequestId> engine_ids;
    std::vector<GenerationResult> results;  // by candidate; the greedy one first
    std::size_t remaining = 0;
    std::size_t tried_bytes = 0;  // of the text so far, for a first answer
    bool cancelled = false;
    bool background = false;  // nobody asked for it
  };

  void start(RequestId id, std::shared_ptr<Pending> pending, const Prompt& prompt);
  [[nodiscard]] std::vector<GenerationRequest> generations(Pending& pending, const Prompt& prompt);
  [[nodiscard]] Expected<Prompt> prompt_at(const CompletionRequest& request, const CursorPlace& place);
  void stop_background(const CompletionRequest& request);
  template <class Which>
  void stop(Which which);

  // In sinks.
  void text_grew(RequestId id, const TextSoFar& so_far);
  void candidate_done(RequestId id, std::size_t candidate, GenerationResult generated);
  void finish(Pending& pending);
  void continue_accepted(const Pending& pending, const CompletionItem& item);

  [[nodiscard]] Ranked rank(const Pending& pending, std::span<const GenerationResult> results) const;
  void store(const Pending& pending, const Ranked& ranked);
  [[nodiscard]] CompletionResult result_of(Ranked ranked, CompletionTimings timings, TimePoint begun) const;
  [[nodiscard]] CompletionResult nothing(std::string_view reason, CompletionTimings timings, TimePoint begun) const;
  [[nodiscard]] PromptBudget budget() const;
  [[nodiscard]] std::size_t context_budget() const;
  [[nodiscard]] RequestId next_id();

  Engine& engine_;
  const model::ModelConfig config_;
  const std::vector<TokenId> stop_tokens_;
  const std::shared_ptr<const Clock> clock_;
  const CompletionOptions options_;
  const std::string model_;
  ContextKeeper context_;
  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::map<RequestId, std::shared_ptr<Pending>> pending_;
  Memories memories_;
  ResultCache cache_;
  bool closed_ = false;
};

}  // namespace weft::generation
