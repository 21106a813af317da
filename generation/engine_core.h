// EngineCore: the engine without its thread: which requests run, one step after the other. All of it on the engine
// thread, but for `metrics`.
//
// A step: the scheduler says who is served; room is made for what is new; requests that begin find what of their prompt
// is held; the runner computes; each request takes its rows. What a request held is kept for others when it ends.
//
// Where memory is short, first KV that nobody uses goes, then requests lose theirs and start again later, of the worst
// class and the newest first; what does not fit alone fails. A step that fails for want of memory is tried once more,
// after everything that nobody uses is gone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generation/adapter_table.h"
#include "generation/decoding.h"
#include "generation/fair_shares.h"
#include "generation/inbox.h"
#include "generation/kv_keeper.h"
#include "generation/metrics.h"

namespace weft::generation {

struct EngineParts {
  std::shared_ptr<model::ModelRunner> runner;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  const model::PrefixTrie& prefix_trie;  // of the tokenizer
  std::shared_ptr<const Clock> clock;
};

class EngineCore {
 public:
  // `on_finished` is called once for each request that was accepted, when it ends.
  EngineCore(EngineParts parts, EngineOptions options, std::function<void()> on_finished);

  void accept(Submission submission);
  void cancel(RequestId id);  // unknown ids are ignored
  [[nodiscard]] Expected<AdapterId> install(std::shared_ptr<const model::LoraAdapter> adapter);
  void remove(AdapterId id);

  [[nodiscard]] bool idle() const { return requests_.empty(); }
  // `listen` is called while the step's results are still unseen: what it cancels sees nothing of them.
  void step(const std::function<void()>& listen);
  void settle();  // nothing runs: what was let go is let go now
  void cancel_all();
  void release_all();                           // nothing runs any more
  [[nodiscard]] EngineMetrics metrics() const;  // thread-safe

 private:
  struct Served {
    RequestId id;
    std::size_t tokens, rows = 0;
  };
  [[nodiscard]] std::vector<Served> choose();
  [[nodiscard]] bool waits_for_twin(const Decoding& decoding) const;
  [[nodiscard]] std::vector<Served> with_room(std::vector<Served> parts);
  [[nodiscard]] std::pair<RequestClass, RequestId> rank_of(RequestId id) const;
  [[nodiscard]] RequestId first_of_all() const;
  bool preempt_after(RequestId first, const std::vector<Served>& parts);
  void begin(std::vector<Served>& parts);
  [[nodiscard]] model::StepPlan plan_of(std::vector<Served>& parts);
  void take_rows(const std::vector<Served>& parts, model::StepResult result);
  void note_cost(const std::vector<Served>& parts, const model::StepPlan& plan, double ms);
  void forget(const model::StepPlan& plan);
  void fail_step(const std::vector<Served>& parts, const model::StepPlan& plan, const std::string& error);
  void retry_or_fail(const std::vector<Served>& parts, const model::StepPlan& plan);
  void fail_largest(const std::vector<Served>& parts);
  void refuse(Submission submission);
  void finish(RequestId id, FinishReason reason, std::string error = {});
  void retire(AdapterId adapter);
  void publish();

  const std::shared_ptr<model::ModelRunner> runner_;
  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const std::shared_ptr<const Clock> clock_;
  const EngineOptions options_;
  const std::function<void()> on_finished_;

  std::map<RequestId, Decoding> requests_;  // unfinished; ids grow, so in the order of submission
  std::uint64_t last_sequence_ = 0;
  DecodingTools tools_;
  KvKeeper kv_;
  AdapterTable adapters_;
  FairShares shares_;
  EngineMetrics counts_;

  mutable std::mutex mutex_;  // of what follows
  EngineMetrics published_;
};

}  // namespace weft::generation
