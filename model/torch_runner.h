// TorchRunner: the ModelRunner of decoders, over LibTorch and the processor's own kernels. Engine thread only. Torch's
// exceptions end here and become errors. A plan is checked as a whole before anything of it is done.
#pragma once

#include <memory>
#include <unordered_map>

#include "model/layers/kv_blocks.h"
#include "model/layers/transformer.h"
#include "model/lora_bank.h"
#include "model/runner.h"

namespace weft::model {

class TorchRunner final : public ModelRunner {
 public:
  struct Options {
    Cpu cpu;  // to whose kernels the transformer is bound
    KvFormat kv = KvFormat::kFloat32;
    std::size_t kv_blocks = 0;  // at most, of all sequences
  };
  TorchRunner(ModelConfig config, Transformer transformer, std::shared_ptr<Communicator> communicator, RunnerInfo info,
              const Options& options);
  [[nodiscard]] const RunnerInfo& info() const override { return info_; }
  [[nodiscard]] std::size_t free_kv_tokens() const override { return pool_.free_blocks() * info_.kv_block_tokens; }
  Expected<StepResult> step(const StepPlan& plan) override;
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) override;
  void remove_adapter(AdapterId id) override;

 private:
  struct Sequence {
    KvBlocks kv;
    AdapterId adapter;
  };
  StepResult run(const StepPlan& plan);
  void fork(const Fork& fork);
  Sequence& sequence(const StepSequence& part);

  ModelConfig config_;
  std::shared_ptr<Communicator> communicator_;
  Transformer transformer_;
  RunnerInfo info_;
  Options options_;
  bool thread_count_set_ = false;
  LoraBank adapters_;
  KvPool pool_;
  std::unordered_map<SequenceId, Sequence> sequences_;
};

}  // namespace weft::model
