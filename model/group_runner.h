// GroupRunner: the runner of a model that is sharded over ranks, as rank 0 has it. It tells the other ranks each step
// and does its own share of it; the engine above does not know. Engine thread only (made on the loading thread).
//
// When a rank ends, the step that needed it fails, and the next step starts the group again: the sequences that were
// held are computed anew when a step names them, from their tokens, which are kept here. Adapters are installed again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/parallel/rank_group.h"
#include "model/parallel/shm_communicator.h"
#include "model/rank_messages.h"
#include "model/runner.h"

namespace weft::model {

// Rank 0's own slice.
using OwnRunner = std::function<Expected<std::unique_ptr<ModelRunner>>(std::shared_ptr<Communicator>)>;

struct GroupRunnerOptions {
  RankGroupOptions group;
  StartRank start;  // what the other ranks load
  OwnRunner own;
};

class GroupRunner final : public ModelRunner {
 public:
  // Starts the ranks and loads the model on all of them at the same time. Errors: of any rank, by its number.
  static Expected<std::unique_ptr<ModelRunner>> start(GroupRunnerOptions options);

  [[nodiscard]] const RunnerInfo& info() const override { return info_; }
  [[nodiscard]] std::size_t free_kv_tokens() const override;
  Expected<StepResult> step(const StepPlan& plan) override;
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) override;
  void remove_adapter(AdapterId id) override;

 private:
  struct History {
    std::vector<TokenId> tokens;
    std::size_t answered = 0;  // how many stood there when logits were first wanted, where a source ends; 0: never
    AdapterId adapter;
    bool held = true;  // the ranks have its KV
    void cut(std::size_t length);
  };

  explicit GroupRunner(GroupRunnerOptions options) : options_(std::move(options)) {}
  Expected<void> open();
  Expected<void> load_everywhere();
  Expected<void> collect_answers();
  Expected<void> ensure_open();
  Expected<StepResult> run(const StepPlan& plan);
  Expected<void> recompute(const StepPlan& plan);
  Expected<void> recompute(SequenceId id);
  Expected<void> install_everywhere(AdapterId id, std::shared_ptr<const LoraAdapter> adapter);
  void remember(const StepPlan& plan);
  void forget(const StepPlan& plan);
  [[nodiscard]] bool broken() const { return !group_ || communicator_->aborted(); }
  [[nodiscard]] Error explain(const Error& error);

  GroupRunnerOptions options_;
  RunnerInfo info_;
  std::unordered_map<SequenceId, History> histories_;
  std::map<AdapterId, std::shared_ptr<const LoraAdapter>> adapters_;
  // In the order in which they may be made; unmade in reverse.
  std::unique_ptr<RankGroup> group_;
  std::shared_ptr<ShmCommunicator> communicator_;
  std::unique_ptr<ModelRunner> own_;
};

}  // namespace weft::model
