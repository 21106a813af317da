#include "adapters/train/throughput.h"

#include <ATen/Parallel.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>

#include <exception>
#include <vector>

#include "adapters/data/random.h"
#include "adapters/eval/statistics.h"
#include "adapters/train/default_config.h"
#include "adapters/train/optimizer.h"
#include "adapters/train/trainable_model.h"
#include "adapters/train/training_step.h"
#include "model/backend.h"
#include "model/config/weight_specs.h"

namespace weft::adapters {
namespace {

constexpr std::int64_t kMatrix = 1024;
constexpr int kProducts = 8;  // a probe

double median(const std::vector<double>& values) { return percentile(values, 0.5); }

// Forward a product takes two operations for each weight and token, backward twice as many.
double operations_per_token(const model::ModelConfig& config, std::size_t sequence_tokens) {
  double weights = 0;
  for (const model::WeightSpec& spec : model::weight_specs(config)) {
    if (!spec.packed_as.empty()) weights += static_cast<double>(spec.shape[0]) * static_cast<double>(spec.shape[1]);
  }
  const double seen = static_cast<double>(sequence_tokens) / 2;
  const double attention = 2.0 * config.layers * config.heads * config.head_dim * seen;  // scores, and what they weigh
  return 3 * 2 * (weights + attention);
}

double probe(const at::Tensor& a, const at::Tensor& b, const Clock& clock) {
  const TimePoint begun = clock.now();
  for (int i = 0; i < kProducts; ++i) at::mm(a, b);
  const double seconds = milliseconds_between(begun, clock.now()) / 1000;
  return kProducts * 2.0 * kMatrix * kMatrix * kMatrix / seconds;
}

RowBatch random_rows(std::size_t rows, std::size_t tokens, std::size_t vocabulary, Random& random) {
  RowBatch batch;
  batch.rows = rows;
  batch.length = tokens;
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<TokenId> ids(tokens, TokenId(0));
    for (TokenId& id : ids) id = TokenId(static_cast<std::int32_t>(random.below(vocabulary)));
    append_piece(batch, static_cast<std::int64_t>(row), ids);
  }
  return batch;
}

Expected<model::ModelConfig> shape_of(const ThroughputOptions& options) {
  return options.config.empty() ? default_config("default", options.vocabulary)
                                : model::read_model_config(options.config);
}

Expected<Throughput> measure(const ThroughputOptions& options, const Clock& clock,
                             const std::function<void(double)>& progress) {
  const auto config = shape_of(options);
  if (!config) return config.error();
  const auto checked = check_batch(options.batch_tokens, options.micro_batch_sequences, options.sequence_tokens);
  if (!checked) return checked.error();
  const std::size_t micro = options.micro_batch_sequences * options.sequence_tokens;
  if (options.threads > 0) at::set_num_threads(options.threads);
  const at::ScalarType dtype = model::multiplies_bf16() ? at::kBFloat16 : at::kFloat;
  const at::Tensor a = at::rand({kMatrix, kMatrix}, dtype), b = at::rand({kMatrix, kMatrix}, dtype);
  const TrainableModel model = TrainableModel::random(*config, 1);
  Optimizer optimizer(model.parameters(), {});
  Random random(1);
  std::vector<double> rates, gradients, updates, totals, shares;
  Throughput out{.dtype = dtype == at::kBFloat16 ? "bf16" : "fp32"};
  for (const Parameter& each : model.parameters()) out.parameters += static_cast<std::size_t>(each.value.numel());
  out.operations_per_token = operations_per_token(*config, options.sequence_tokens);
  const auto tokens = static_cast<double>(options.batch_tokens);
  for (std::size_t step = 0; step <= options.steps; ++step) {
    const double rate = probe(a, b, clock);
    const TimePoint begun = clock.now();
    for (std::size_t done = 0; done < options.batch_tokens; done += micro) {
      const RowBatch batch = random_rows(options.micro_batch_sequences, options.sequence_tokens,
                                         static_cast<std::size_t>(config->vocabulary), random);
      model.loss_sum(batch).backward();
    }
    const TimePoint learnt = clock.now();
    optimizer.step(0.01, 1 / tokens);
    const TimePoint ended = clock.now();
    if (progress) progress(static_cast<double>(step + 1) / static_cast<double>(options.steps + 1));
    if (step == 0) continue;  // memory is found, kernels are made
    rates.push_back((rate + probe(a, b, clock)) / 2);
    gradients.push_back(milliseconds_between(begun, learnt));
    updates.push_back(milliseconds_between(learnt, ended));
    totals.push_back(milliseconds_between(begun, ended));
    shares.push_back(out.operations_per_token * tokens / (totals.back() / 1000) / rates.back());
  }
  out.tokens_per_second = tokens / (median(totals) / 1000);
  out.matrix_operations_per_second = median(rates);
  out.share = median(shares);
  out.gradients_ms = median(gradients);
  out.optimizer_ms = median(updates);
  return out;
}

}  // namespace

Expected<Throughput> measure_throughput(const ThroughputOptions& options, const Clock& clock,
                                        const std::function<void(double fraction)>& progress) {
  try {
    return measure(options, clock, progress);
  } catch (const std::exception& failure) {
    return make_error("{}", failure.what());
  }
}

}  // namespace weft::adapters
