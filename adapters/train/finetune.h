// The loop that teaches a model a task by examples: batches in an order that is shuffled anew each epoch, AdamW,
// warm-up and decay, early stopping on the held-out loss, the best parameters kept, checkpoints from which a killed run
// goes on bit by bit. What is trained stands behind FinetuneModel: an adapter's factors, or all of a model's weights.
// Training thread only.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adapters/tasks/task_data.h"
#include "adapters/train/optimizer.h"
#include "adapters/train/train_adapter.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

class FinetuneModel {
 public:
  virtual ~FinetuneModel() = default;
  // fp32 leaves; always the same tensors in the same order.
  [[nodiscard]] virtual const std::vector<Parameter>& parameters() const = 0;
  // Sum of the negative log-likelihoods, in nats, of the tokens of all answers, the first of each as often as it
  // counts; a scalar, with a graph where gradients are on. No example sees another.
  [[nodiscard]] virtual at::Tensor loss_sum(std::span<const TokenExample* const> examples) const = 0;
};

struct FinetuneOptions {
  std::string out;  // checkpoints/ and log.jsonl go here
  double learning_rate = 1e-3, weight_decay = 0.01, clip_norm = 1.0;
  std::size_t total_steps = 100, warmup_steps = 5, decay_steps = 30;  // linear to zero in the last ones
  std::size_t batch_tokens = 4096;                                    // a step's examples, about
  std::size_t micro_batch_tokens = 2048;  // of them in memory at once; at least the longest example
  std::size_t evaluate_every_steps = 25;
  std::size_t patience = 4;  // measurements without a better one after which the run ends
  std::size_t checkpoint_every_steps = 25;
  std::uint64_t seed = 1;
  bool resume = true;
  std::string fingerprint;  // of what a continued run must share beside the data and these options
};

struct FinetuneResult {
  std::size_t steps = 0, tokens = 0;
  double base_loss = 0;  // held-out, before the first step; nats a token
  double best_loss = 0;  // held-out
  std::size_t best_step = 0;
  bool interrupted = false, stopped_early = false;
};

// Afterwards `model` has the best parameters. `train` and `held_out` have at least one example each. Errors: a
// checkpoint that does not fit, a full disk, a loss that is no number.
Expected<FinetuneResult> finetune(const FinetuneModel& model, const TaskData& data, const FinetuneOptions& options,
                                  const std::function<void(const TrainProgress&)>& progress, const CancelFlag& cancel);

// Mean over the answers' tokens, in nats, without a graph.
double mean_loss(const FinetuneModel& model, std::span<const TokenExample> examples, std::size_t micro_batch_tokens);

}  // namespace weft::adapters
