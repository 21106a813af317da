#include "adapters/train/train_adapter.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>

#include "adapters/eval/detection.h"
#include "adapters/train/finetune.h"
#include "adapters/train/lora_model.h"
#include "model/backend.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using Progress = std::function<void(const TrainProgress&)>;

constexpr std::size_t kRowTokens = 2048;  // of examples in memory at once
constexpr double kWarmupShare = 0.05, kDecayShare = 0.4;
constexpr double kWeightDecay = 0.01;

struct Base {
  model::ModelConfig config;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  std::string sha256;
};

Expected<Base> read_base(const std::string& directory) {
  auto config = model::read_model_config(directory);
  if (!config) return config.error();
  auto tokenizer = model::load_sentencepiece((fs::path(directory) / "tokenizer.model").string());
  if (!tokenizer) return tokenizer.error();
  auto sha256 = base_hash(directory);
  if (!sha256) return sha256.error();
  return Base{*std::move(config), *std::move(tokenizer), *std::move(sha256)};
}

Expected<TaskData> read_data(const Task& task, const TrainOptions& options, const Base& base, const Progress& progress,
                             const CancelFlag& cancel) {
  const TrainPreset& preset = options.preset;
  TaskDataOptions data{
      .folders = options.data,
      .max_tokens = std::min(preset.example_tokens, static_cast<std::size_t>(base.config.max_positions)),
      .max_held_out = preset.max_held_out,
      .seed = options.seed,
      .collect = options.collect};
  const auto show = [&](std::size_t done, std::size_t all) {
    if (progress) progress({.stage = "reading", .step = done, .total_steps = all});
  };
  auto read = read_task_data(task, *base.tokenizer, data, show, cancel);
  if (!read) return read.error();
  if (read->train.size() < options.min_examples || read->held_out.empty()) {
    return make_error("too little to learn {} from: at least {} examples to train on are needed, and one held out.\n{}",
                      task.name, options.min_examples, describe(*read));
  }
  return read;
}

std::size_t steps_for(const TrainPreset& preset, const std::vector<TokenExample>& examples) {
  std::size_t tokens = 0;
  for (const TokenExample& example : examples) tokens += example.tokens();
  const double wanted =
      std::ceil(preset.max_epochs * static_cast<double>(tokens) / static_cast<double>(preset.batch_tokens));
  return std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, preset.max_steps);
}

FinetuneOptions finetune_options(const Task& task, const TrainOptions& options, const Base& base,
                                 const TaskData& data) {
  const TrainPreset& preset = options.preset;
  const std::size_t steps = steps_for(preset, data.train);
  const auto share = [steps](double part) {
    return static_cast<std::size_t>(std::ceil(part * static_cast<double>(steps)));
  };
  return {.out = options.out,
          .learning_rate = preset.learning_rate,
          .weight_decay = kWeightDecay,
          .total_steps = steps,
          .warmup_steps = share(kWarmupShare),
          .decay_steps = share(kDecayShare),
          .batch_tokens = preset.batch_tokens,
          .micro_batch_tokens = std::max(kRowTokens, preset.example_tokens),
          .evaluate_every_steps = preset.evaluate_every_steps,
          .patience = preset.patience,
          .checkpoint_every_steps = options.checkpoint_every_steps,
          .seed = options.seed,
          .resume = options.resume,
          .fingerprint = fmt::format("{}|{}|{}|{}|{}", task.name, base.sha256, preset.rank, preset.alpha,
                                     model::multiplies_bf16())};
}

// log P(verdict | prompt)
double log_probability(const FinetuneModel& model, const TokenExample& example, std::vector<TokenId> verdict) {
  TokenExample asked;
  asked.prompt = example.prompt;
  asked.answer = std::move(verdict);
  const TokenExample* one = &asked;
  return -model.loss_sum({&one, 1}).item<double>();
}

// The least probability that is worth showing, from the held-out examples.
Expected<double> calibrate(const Task& task, const FinetuneModel& model, const Base& base, const TaskData& data,
                           const TrainOptions& options, const Progress& progress, const CancelFlag& cancel) {
  const at::NoGradGuard no_gradient;
  const auto positive = base.tokenizer->encode(task.verdicts.positive);
  const auto negative = base.tokenizer->encode(task.verdicts.negative);
  std::vector<Detection> detections;
  for (const TokenExample& example : data.held_out) {
    if (cancel.cancelled()) return make_error("cancelled; run the same command again to continue");
    if (progress) {
      progress({.stage = "calibrating", .step = detections.size(), .total_steps = data.held_out.size()});
    }
    detections.push_back(
        {verdict_probability(log_probability(model, example, positive), log_probability(model, example, negative)),
         is_positive(task, example), example.text.pair});
  }
  return calibrated_threshold(detections, options.precision);
}

std::size_t parameter_count(const FinetuneModel& model) {
  std::size_t out = 0;
  for (const Parameter& parameter : model.parameters()) out += static_cast<std::size_t>(parameter.value.numel());
  return out;
}

AdapterInfo info_of(const Task& task, const TrainPreset& preset, const Base& base) {
  AdapterInfo out;
  out.task = task.name;
  out.base_name = base.config.name;
  out.base_sha256 = base.sha256;
  out.rank = static_cast<int>(preset.rank);
  out.alpha = preset.alpha;
  return out;
}

TrainReport report_of(const FinetuneResult& result) {
  TrainReport out;
  out.steps = result.steps;
  out.tokens = result.tokens;
  out.base_loss = result.base_loss;
  out.best_loss = result.best_loss;
  out.best_step = result.best_step;
  out.interrupted = result.interrupted;
  out.stopped_early = result.stopped_early;
  return out;
}

Expected<TrainReport> run(const Task& task, const TrainOptions& options, const Progress& progress,
                          const CancelFlag& cancel) {
  const auto base = read_base(options.model);
  if (!base) return base.error();
  auto data = read_data(task, options, *base, progress, cancel);
  if (!data) return data.error();
  const TrainPreset& preset = options.preset;
  const LoraShape shape{static_cast<std::int64_t>(preset.rank), preset.alpha};
  auto model = LoraModel::open(options.model, base->config, LoraFactors::fresh(base->config, shape, options.seed));
  if (!model) return model.error();
  const auto result = finetune(*model, *data, finetune_options(task, options, *base, *data), progress, cancel);
  if (!result) return result.error();
  TrainReport report = report_of(*result);
  report.parameters = parameter_count(*model);
  report.info = info_of(task, preset, *base);
  if (!report.interrupted) {
    if (task.verdicts.detects()) {
      const auto threshold = calibrate(task, *model, *base, *data, options, progress, cancel);
      if (!threshold) return threshold.error();
      report.info.threshold = *threshold;
    }
    if (auto written = write_adapter(options.out, {report.info, model->to_adapter()}); !written) return written.error();
  }
  report.data = *std::move(data);
  return report;
}

}  // namespace

Expected<TrainReport> train_adapter(const Task& task, const TrainOptions& options, const Progress& progress,
                                    CancelFlag cancel) {
  try {
    if (options.threads > 0) at::set_num_threads(options.threads);
    return run(task, options, progress, cancel);
  } catch (const std::exception& failure) {
    return make_error("{}", failure.what());
  }
}

}  // namespace weft::adapters
