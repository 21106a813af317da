// TorchRunner: the ModelRunner over LibTorch. Engine thread only. Torch's exceptions end here and become errors.
#pragma once

#include <memory>
#include <unordered_map>

#include "model/layers/kv_buffer.h"
#include "model/layers/transformer.h"
#include "model/runner.h"

namespace weft::model {

class TorchRunner final : public ModelRunner {
 public:
  TorchRunner(ModelConfig config, Transformer transformer, std::shared_ptr<Communicator> communicator, RunnerInfo info,
              at::ScalarType dtype, int threads);
  [[nodiscard]] const RunnerInfo& info() const override { return info_; }
  Expected<StepResult> step(const StepPlan& plan) override;
  Expected<void> install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) override;
  void remove_adapter(AdapterId id) override;

 private:
  Expected<void> validate(const StepPlan& plan) const;
  StepResult run(const StepPlan& plan);
  KvBuffer& sequence(SequenceId id);

  ModelConfig config_;
  std::shared_ptr<Communicator> communicator_;
  Transformer transformer_;
  RunnerInfo info_;
  at::ScalarType dtype_;
  int threads_;
  bool thread_count_set_ = false;
  std::unordered_map<SequenceId, KvBuffer> sequences_;
};

}  // namespace weft::model
