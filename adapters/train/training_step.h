// What every training loop does the same way: an optimiser step over micro-batches, the time that steps take, a line in
// log.jsonl. Training thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "adapters/train/optimizer.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct MicroBatch {
  at::Tensor nats;         // sum over its targets, a scalar with a graph
  std::size_t scored = 0;  // targets
};

struct StepOptions {
  double learning_rate_scale = 1;
  double clip_norm = 1;
};

struct StepOutcome {
  double loss = 0;           // mean of the targets, nats
  double gradient_norm = 0;  // of that mean, before clipping
};

// Sums the gradients of all that `next` gives until it gives nothing, then steps the optimiser once.
StepOutcome training_step(Optimizer& optimizer, const std::vector<Parameter>& parameters, const StepOptions& options,
                          const std::function<std::optional<MicroBatch>()>& next);

// Error: a step's tokens are not a whole number of micro-batches.
Expected<void> check_batch(std::size_t batch_tokens, std::size_t micro_batch_sequences, std::size_t sequence_tokens);

// How long a step takes, smoothed.
class Pace {
 public:
  void add(double seconds) { seconds_ = seconds_ == 0 ? seconds : 0.9 * seconds_ + 0.1 * seconds; }
  [[nodiscard]] double seconds_for(std::size_t steps) const { return seconds_ * static_cast<double>(steps); }
  [[nodiscard]] double per_second(double per_step) const { return seconds_ == 0 ? 0 : per_step / seconds_; }

 private:
  double seconds_ = 0;  // a step
};

// Appends one line to log.jsonl. A log that cannot be written stops no training.
void append_log(const std::filesystem::path& folder, const nlohmann::json& line);

}  // namespace weft::adapters
