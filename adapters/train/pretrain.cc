// The loop of a pretraining run, and what surrounds it: data, resuming, the log, the packaged model.
#include "adapters/train/pretrain.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "adapters/train/checkpoint.h"
#include "adapters/train/default_config.h"
#include "adapters/train/held_out.h"
#include "adapters/train/schedule.h"
#include "adapters/train/trainable_model.h"
#include "adapters/train/training_step.h"
#include "model/base/clock.h"
#include "model/base/hash.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kHeldOutRows = 64;

// Read-only for the whole run.
struct TrainingData {
  std::string directory;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  FimTokens control;
  IndexedDataset train, held_out;
};

Expected<TrainingData> open_data(const std::string& directory) {
  const fs::path base(directory);
  auto tokenizer = model::load_tokenizer(directory);
  if (!tokenizer) return make_error("{} (was this folder written by `weft data pack`?)", tokenizer.error().message);
  const auto control = find_fim_tokens(**tokenizer);
  if (!control) return control.error();
  auto train = IndexedDataset::open((base / "train").string());
  if (!train) return train.error();
  if (train->total_tokens() == 0) return make_error("{}: there is no text to train on", directory);
  auto held_out = IndexedDataset::open((base / "valid").string());
  if (!held_out) return held_out.error();
  return TrainingData{directory, *std::move(tokenizer), *control, *std::move(train), *std::move(held_out)};
}

Expected<model::ModelConfig> read_config(const PretrainOptions& options, const model::Tokenizer& tokenizer) {
  if (options.config.empty()) return default_config(options.name, tokenizer.vocabulary());
  std::ifstream in(options.config, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return make_error("{}: cannot be read", options.config);
  auto config = model::parse_model_config(text.str(), options.name);
  if (config && static_cast<std::size_t>(config->vocabulary) < tokenizer.vocabulary()) {
    return make_error("{}: a vocabulary of {} does not hold the tokenizer's {} pieces", options.config,
                      config->vocabulary, tokenizer.vocabulary());
  }
  return config;
}

// A hash of what a continued run must share with the one that it continues: its rows. Batch and rates may change.
std::string fingerprint_of(const PretrainOptions& options, const model::ModelConfig& config, const TrainingData& data) {
  const std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}", to_json(config), data.train.documents(), data.train.total_tokens(),
                  options.sequence_tokens, options.fim_rate, options.spm_rate, options.seed);
  return fmt::format("{:016x}", fnv1a(text));
}

Expected<void> check_options(const PretrainOptions& options, const model::ModelConfig& config) {
  if (auto checked = check_batch(options.batch_tokens, options.micro_batch_sequences, options.sequence_tokens);
      !checked) {
    return checked;
  }
  if (options.sequence_tokens > static_cast<std::size_t>(config.max_positions)) {
    return make_error("sequences of {} tokens are longer than the model's {} positions", options.sequence_tokens,
                      config.max_positions);
  }
  return {};
}

class Run {
 public:
  Run(const PretrainOptions& options, TrainingData data, TrainableModel model, std::string fingerprint)
      : options_(options),
        data_(std::move(data)),
        model_(std::move(model)),
        optimizer_(model_.parameters(),
                   {.muon_lr = options.muon_lr, .adamw_lr = options.adamw_lr, .weight_decay = options.weight_decay}),
        held_out_(held_out_rows(data_.held_out, *data_.tokenizer, data_.control.end, kHeldOutRows,
                                options.sequence_tokens, options.micro_batch_sequences)),
        directory_(options.out),
        schedule_{options.warmup_steps, options.total_steps - std::min(options.total_steps, options.decay_steps),
                  options.total_steps} {
    state_.fingerprint = std::move(fingerprint);
  }

  Expected<void> resume();
  Expected<PretrainReport> train(const std::function<void(const PretrainProgress&)>& progress, CancelFlag cancel);

 private:
  Expected<void> load(const std::string& path);
  Expected<void> branch();
  double step(RowSampler& sampler, PretrainProgress& now);
  Expected<PretrainReport> finish(bool interrupted);
  Expected<void> save() const { return save_checkpoint(checkpoints(), state_, model_.parameters(), optimizer_); }
  [[nodiscard]] std::string checkpoints() const { return (directory_ / "checkpoints").string(); }
  void log(const PretrainProgress& now) const;

  const PretrainOptions& options_;
  TrainingData data_;
  TrainableModel model_;
  Optimizer optimizer_;
  HeldOut held_out_;
  fs::path directory_;
  Schedule schedule_;
  TrainingState state_;
  double loss_ = 0;
};

Expected<void> Run::load(const std::string& path) {
  auto loaded = load_checkpoint(path, state_.fingerprint, model_.parameters(), optimizer_);
  if (!loaded) return loaded.error();
  state_ = *std::move(loaded);
  return {};
}

// The decay has its own folder, named by where it left the trunk, and is itself resumed when it was stopped.
Expected<void> Run::branch() {
  const auto trunk = newest_checkpoint(checkpoints());
  if (!trunk) return make_error("{}: no checkpoint to decay from", options_.out);
  if (auto loaded = load(*trunk); !loaded) return loaded;
  directory_ /= fmt::format("decay-{:08}", state_.step);
  schedule_ = {options_.warmup_steps, state_.step, state_.step + options_.decay_steps};
  return {};
}

Expected<void> Run::resume() {
  if (options_.branch_decay) {
    if (auto branched = branch(); !branched) return branched;
  }
  const auto newest = options_.resume ? newest_checkpoint(checkpoints()) : std::nullopt;
  return newest ? load(*newest) : Expected<void>();
}

// One optimiser step; the mean loss of its targets in nats.
double Run::step(RowSampler& sampler, PretrainProgress& now) {
  now.learning_rate_scale = schedule_.scale(state_.step);
  std::size_t done = 0;
  const auto next = [&]() -> std::optional<MicroBatch> {
    if (done >= options_.batch_tokens) return std::nullopt;
    done += options_.micro_batch_sequences * options_.sequence_tokens;
    const RowBatch batch = sampler.next(options_.micro_batch_sequences);
    return MicroBatch{model_.loss_sum(batch), batch.scored};
  };
  const StepOutcome outcome =
      training_step(optimizer_, model_.parameters(),
                    {.learning_rate_scale = now.learning_rate_scale, .clip_norm = options_.clip_norm}, next);
  now.gradient_norm = outcome.gradient_norm;
  return outcome.loss;
}

void Run::log(const PretrainProgress& now) const {
  nlohmann::json line = {{"step", now.step},
                         {"tokens", state_.tokens},
                         {"loss", now.loss},
                         {"lr_scale", now.learning_rate_scale},
                         {"grad_norm", now.gradient_norm},
                         {"tokens_per_second", now.tokens_per_second}};
  if (now.held_out_bits_per_byte >= 0) line["held_out_bits_per_byte"] = now.held_out_bits_per_byte;
  append_log(directory_, line);
}

Expected<PretrainReport> Run::finish(bool interrupted) {
  PretrainReport report{.steps = state_.step,
                        .tokens = state_.tokens,
                        .loss = loss_,
                        .interrupted = interrupted,
                        .model_directory = (directory_ / "model").string()};
  if (auto saved = save(); !saved) return saved.error();
  if (interrupted) return report;
  report.held_out_bits_per_byte = bits_per_byte(model_, held_out_);
  if (auto packed = model_.package(report.model_directory, data_.directory); !packed) return packed.error();
  return report;
}

Expected<PretrainReport> Run::train(const std::function<void(const PretrainProgress&)>& progress, CancelFlag cancel) {
  const SteadyClock clock;
  std::error_code failed;
  fs::create_directories(directory_, failed);
  if (failed) return make_error("{}: {}", directory_.string(), failed.message());
  RowSampler sampler(data_.train, *data_.tokenizer, data_.control,
                     {options_.sequence_tokens, options_.fim_rate, options_.spm_rate, options_.seed}, state_.sampler);
  Pace pace;
  while (state_.step < schedule_.decay_end) {
    if (cancel.cancelled()) return finish(true);
    const TimePoint begin = clock.now();
    PretrainProgress now;
    loss_ = now.loss = step(sampler, now);
    if (!std::isfinite(loss_))
      return make_error("step {}: the loss is {}; lower the learning rates", state_.step, loss_);
    ++state_.step;
    state_.tokens += options_.batch_tokens;
    state_.sampler = sampler.state();
    pace.add(milliseconds_between(begin, clock.now()) / 1000);
    now.step = state_.step;
    now.total_steps = schedule_.decay_end;
    now.tokens_per_second = pace.per_second(static_cast<double>(options_.batch_tokens));
    now.eta_seconds = pace.seconds_for(schedule_.decay_end - state_.step);
    if (state_.step % options_.evaluate_every_steps == 0) now.held_out_bits_per_byte = bits_per_byte(model_, held_out_);
    log(now);
    if (progress) progress(now);
    if (state_.step % options_.checkpoint_every_steps == 0) {
      if (auto saved = save(); !saved) return saved.error();
    }
  }
  return finish(false);
}

}  // namespace

Expected<PretrainReport> pretrain(const PretrainOptions& options,
                                  const std::function<void(const PretrainProgress&)>& progress, CancelFlag cancel) {
  try {
    if (options.threads > 0) at::set_num_threads(options.threads);
    auto data = open_data(options.data);
    if (!data) return data.error();
    const auto config = read_config(options, *data->tokenizer);
    if (!config) return config.error();
    if (auto checked = check_options(options, *config); !checked) return checked.error();
    auto model = options.init_from.empty() ? Expected(TrainableModel::random(*config, options.seed))
                                           : TrainableModel::from_directory(*config, options.init_from);
    if (!model) return model.error();
    std::string fingerprint = fingerprint_of(options, *config, *data);
    Run run(options, *std::move(data), *std::move(model), std::move(fingerprint));
    if (auto resumed = run.resume(); !resumed) return resumed.error();
    return run.train(progress, std::move(cancel));
  } catch (const std::exception& failure) {
    return make_error("{}", failure.what());
  }
}

}  // namespace weft::adapters
