#include "adapters/train/train_adapter.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>

#include "adapters/eval/detection.h"
#include "adapters/train/finetune.h"
#include "adapters/train/lora_model.h"
#include "adapters/train/trainable_encoder_decoder.h"
#include "adapters/train/trainable_model.h"
#include "model/backend.h"
#include "model/base/hash.h"
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
  auto tokenizer = model::load_tokenizer(directory);
  if (!tokenizer) return tokenizer.error();
  auto sha256 = base_hash(directory);
  if (!sha256) return sha256.error();
  return Base{*std::move(config), *std::move(tokenizer), *std::move(sha256)};
}

Expected<void> check_kind(const Task& task, const TrainOptions& options, const model::ModelConfig& config) {
  if (!options.full) {
    if (!config.encoder) return {};
    return make_error("{} is an encoder-decoder, for which adapters are not supported: train all of it (--full)",
                      config.name);
  }
  std::error_code ignored;
  if (fs::equivalent(options.out, options.model, ignored)) {
    return make_error("{} is the model to start from: name another folder for the one that is trained", options.out);
  }
  if (task.verdicts.detects()) {
    return make_error("{} is trained as an adapter, which keeps its threshold; a whole model has no place for it",
                      task.name);
  }
  if (config.encoder && config.encoder->end < 0) {
    return make_error("config.json of {} names no eos_token_id for an answer to end with", config.name);
  }
  return {};
}

// What an answer ends with; none: the tokenizer says.
std::optional<TokenId> end_of_answer(const model::ModelConfig& config) {
  return config.encoder ? std::optional(TokenId(config.encoder->end)) : std::nullopt;
}

Expected<TaskData> read_data(const Task& task, const TrainOptions& options, const Base& base, const Progress& progress,
                             const CancelFlag& cancel) {
  const TrainPreset& preset = options.preset;
  TaskDataOptions data{
      .folders = options.data,
      .end = end_of_answer(base.config),
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

// What a run is given, once it is read.
struct Work {
  const Task& task;
  const TrainOptions& options;
  const Base& base;
  const TaskData& data;
  const Progress& progress;
  const CancelFlag& cancel;
};

FinetuneOptions finetune_options(const Work& work, const std::string& kind) {
  const TrainOptions& options = work.options;
  const TrainPreset& preset = options.preset;
  const std::size_t steps = steps_for(preset, work.data.train);
  const auto share = [steps](double part) {
    return static_cast<std::size_t>(std::ceil(part * static_cast<double>(steps)));
  };
  return {.out = options.out,
          .learning_rate = options.full ? preset.full_learning_rate : preset.learning_rate,
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
          .fingerprint = fmt::format("{}|{}|{}|{}", work.task.name, work.base.sha256, kind, model::multiplies_bf16())};
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

AdapterInfo info_of(const Task& task, const Base& base) {
  AdapterInfo out;
  out.task = task.name;
  out.base_name = base.config.name;
  out.base_sha256 = base.sha256;
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

// `kind`: what of the model is trained, and from where.
Expected<TrainReport> teach(const FinetuneModel& model, const Work& work, const std::string& kind) {
  const auto options = finetune_options(work, kind);
  const auto result = finetune(model, work.data, options, work.progress, work.cancel);
  if (!result) return result.error();
  TrainReport report = report_of(*result);
  report.parameters = parameter_count(model);
  report.info = info_of(work.task, work.base);
  return report;
}

// What an adapter is before its first step.
struct Beginning {
  LoraFactors factors;
  int rank = 0;
  double alpha = 0;
  std::string kind;  // other beginnings, other runs
};

Expected<Beginning> first_factors(const Work& work) {
  const TrainOptions& options = work.options;
  if (options.from.empty()) {
    const LoraShape shape{static_cast<std::int64_t>(options.preset.rank), options.preset.alpha};
    return Beginning{LoraFactors::fresh(work.base.config, shape, options.seed), static_cast<int>(shape.rank),
                     shape.alpha, fmt::format("{}|{}", shape.rank, shape.alpha)};
  }
  // Of another base too, if it has the shape: when a base has been trained further, its adapters are a good beginning.
  const auto files = read_adapter(options.from, work.base.config, "");
  if (!files) return files.error();
  if (files->info.task != work.task.name) {
    return make_error("{} is an adapter for '{}', not for {}", options.from, files->info.task, work.task.name);
  }
  std::uint64_t hash = 0;
  for (const model::LoraDelta& delta : files->adapter.deltas) {
    for (const auto* values : {&delta.a, &delta.b}) {
      hash = mix64(hash ^ fnv1a({reinterpret_cast<const char*>(values->data()), values->size() * sizeof(float)}));
    }
  }
  return Beginning{LoraFactors(work.base.config, files->adapter), files->info.rank, files->info.alpha,
                   fmt::format("from {:016x}", hash)};
}

Expected<TrainReport> run_adapter(const Work& work) {
  const auto& [task, options, base, data, progress, cancel] = work;
  auto begin = first_factors(work);
  if (!begin) return begin.error();
  auto model = LoraModel::open(options.model, base.config, std::move(begin->factors));
  if (!model) return model.error();
  auto report = teach(*model, work, begin->kind);
  if (!report) return report;
  report->info.rank = begin->rank;
  report->info.alpha = begin->alpha;
  if (report->interrupted) return report;
  if (task.verdicts.detects()) {
    const auto threshold = calibrate(task, *model, base, data, options, progress, cancel);
    if (!threshold) return threshold.error();
    report->info.threshold = *threshold;
  }
  if (auto written = write_adapter(options.out, {report->info, model->to_adapter()}); !written) return written.error();
  return report;
}

Expected<TrainReport> run_full(const Work& work) {
  const TrainOptions& options = work.options;
  model::ModelConfig config = work.base.config;
  std::unique_ptr<FinetuneModel> model;
  if (config.encoder) {
    auto weights = read_weights(config, options.model);
    if (!weights) return weights.error();
    model = std::make_unique<TrainableEncoderDecoder>(config, *std::move(weights));
  } else {
    auto decoder = TrainableModel::from_directory(config, options.model);
    if (!decoder) return decoder.error();
    model = std::make_unique<TrainableModel>(*std::move(decoder));
  }
  auto report = teach(*model, work, "full");
  if (!report || report->interrupted) return report;
  std::error_code ignored;
  config.name = fs::weakly_canonical(options.out, ignored).filename().string();
  const auto written = package_model(config, model->parameters(), options.out, options.model);
  if (!written) return written.error();
  return report;
}

Expected<TrainReport> run(const Task& task, const TrainOptions& options, const Progress& progress,
                          const CancelFlag& cancel) {
  const auto base = read_base(options.model);
  if (!base) return base.error();
  if (auto possible = check_kind(task, options, base->config); !possible) return possible.error();
  auto data = read_data(task, options, *base, progress, cancel);
  if (!data) return data.error();
  const Work work{task, options, *base, *data, progress, cancel};
  auto report = options.full ? run_full(work) : run_adapter(work);
  if (report) report->data = *std::move(data);
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
