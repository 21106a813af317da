#include "adapters/train/training_step.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

namespace weft::adapters {

StepOutcome training_step(Optimizer& optimizer, const std::vector<Parameter>& parameters, const StepOptions& options,
                          const std::function<std::optional<MicroBatch>()>& next) {
  double nats = 0;
  std::size_t scored = 0;
  while (const std::optional<MicroBatch> batch = next()) {
    batch->nats.backward();
    nats += batch->nats.item<double>();
    scored += batch->scored;
  }
  const double count = static_cast<double>(std::max<std::size_t>(scored, 1));
  double squares = 0;
  for (const Parameter& parameter : parameters) {
    if (parameter.value.grad().defined()) squares += parameter.value.grad().square().sum().item<double>();
  }
  const double norm = std::sqrt(squares) / count;
  const double clip = norm > options.clip_norm ? options.clip_norm / norm : 1.0;
  optimizer.step(options.learning_rate_scale, clip / count);
  return {nats / count, norm};
}

Expected<void> check_batch(std::size_t batch_tokens, std::size_t micro_batch_sequences, std::size_t sequence_tokens) {
  const std::size_t micro = micro_batch_sequences * sequence_tokens;
  if (micro > 0 && batch_tokens > 0 && batch_tokens % micro == 0) return {};
  return make_error("{} tokens a step are not a multiple of {} sequences of {} tokens", batch_tokens,
                    micro_batch_sequences, sequence_tokens);
}

void append_log(const std::filesystem::path& folder, const nlohmann::json& line) {
  std::ofstream(folder / "log.jsonl", std::ios::app) << line.dump() << '\n';
}

}  // namespace weft::adapters
