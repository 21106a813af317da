#include "adapters/train/finetune.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "adapters/train/checkpoint.h"
#include "adapters/train/example_sampler.h"
#include "adapters/train/schedule.h"
#include "adapters/train/training_step.h"
#include "model/base/clock.h"
#include "model/base/hash.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

// What the answers' tokens count for together.
std::size_t scored_of(std::span<const TokenExample* const> examples) {
  std::size_t out = 0;
  for (const TokenExample* example : examples) out += example->answer.size() + example->first_counts - 1;
  return out;
}

std::uint64_t hash_of(std::span<const TokenExample> examples, std::uint64_t hash) {
  for (const TokenExample& example : examples) {
    for (const auto* tokens : {&example.prompt, &example.answer}) {
      for (const TokenId token : *tokens) hash = mix64(hash ^ static_cast<std::uint64_t>(token.value()));
      hash = mix64(hash + kGolden64);
    }
  }
  return hash;
}

// A hash of all that a continued run must share with the one that it continues, since its end depends on it.
std::string fingerprint_of(const TaskData& data, const FinetuneOptions& o) {
  const std::string text = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", o.fingerprint, o.learning_rate, o.weight_decay, o.clip_norm, o.total_steps,
      o.warmup_steps, o.decay_steps, o.batch_tokens, o.micro_batch_tokens, o.evaluate_every_steps, o.patience, o.seed);
  return fmt::format("{:016x}", hash_of(data.held_out, hash_of(data.train, fnv1a(text))));
}

class Run {
 public:
  Run(const FinetuneModel& model, const TaskData& data, const FinetuneOptions& options)
      : model_(model),
        data_(data),
        options_(options),
        optimizer_(
            model.parameters(),
            {.adamw_lr = options.learning_rate, .beta2 = 0.99, .adamw_decay = options.weight_decay, .muon = false}),
        schedule_{options.warmup_steps, options.total_steps - std::min(options.total_steps, options.decay_steps),
                  options.total_steps} {
    state_.fingerprint = fingerprint_of(data, options);
    for (const Parameter& parameter : model.parameters()) {
      best_.push_back({"best." + parameter.name, parameter.value.detach().clone()});
    }
  }

  Expected<void> resume();
  Expected<FinetuneResult> train(const std::function<void(const TrainProgress&)>& progress, const CancelFlag& cancel);

 private:
  void step(ExampleSampler& sampler, TrainProgress& now);
  void measure(TrainProgress& now);
  [[nodiscard]] bool stopped_early() const { return state_.best.worse_since >= options_.patience; }
  [[nodiscard]] std::string checkpoints() const { return (fs::path(options_.out) / "checkpoints").string(); }
  [[nodiscard]] std::vector<Parameter> saved() const;
  Expected<void> save() const { return save_checkpoint(checkpoints(), state_, saved(), optimizer_); }
  void log(const TrainProgress& now) const;
  Expected<FinetuneResult> finish(bool interrupted);

  const FinetuneModel& model_;
  const TaskData& data_;
  const FinetuneOptions& options_;
  Optimizer optimizer_;
  Schedule schedule_;
  std::vector<Parameter> best_;  // copies, "best.NAME"
  TrainingState state_;
  double base_loss_ = 0;
};

std::vector<Parameter> Run::saved() const {
  std::vector<Parameter> out = model_.parameters();
  out.insert(out.end(), best_.begin(), best_.end());
  return out;
}

Expected<void> Run::resume() {
  const auto newest = options_.resume ? newest_checkpoint(checkpoints()) : std::nullopt;
  // Before the first step the model is the base; measured anew rather than kept, since it costs one look.
  base_loss_ = mean_loss(model_, data_.held_out, options_.micro_batch_tokens);
  if (!newest) return {};
  auto loaded = load_checkpoint(*newest, state_.fingerprint, saved(), optimizer_);
  if (!loaded) return loaded.error();
  state_ = *std::move(loaded);
  return {};
}

void Run::step(ExampleSampler& sampler, TrainProgress& now) {
  now.learning_rate_scale = schedule_.scale(state_.step);
  std::size_t done = 0;
  const auto next = [&]() -> std::optional<MicroBatch> {
    if (done >= options_.batch_tokens) return std::nullopt;
    const auto examples = sampler.next(std::min(options_.micro_batch_tokens, options_.batch_tokens - done));
    for (const TokenExample* example : examples) done += example->tokens();
    return MicroBatch{model_.loss_sum(examples), scored_of(examples)};
  };
  const StepOutcome outcome =
      training_step(optimizer_, model_.parameters(),
                    {.learning_rate_scale = now.learning_rate_scale, .clip_norm = options_.clip_norm}, next);
  now.loss = outcome.loss;
  now.gradient_norm = outcome.gradient_norm;
  ++state_.step;
  state_.tokens += done;
  state_.sampler = sampler.state();
}

void Run::measure(TrainProgress& now) {
  now.held_out_loss = mean_loss(model_, data_.held_out, options_.micro_batch_tokens);
  BestSoFar& best = state_.best;
  if (best.held_out_loss >= 0 && now.held_out_loss >= best.held_out_loss) {
    ++best.worse_since;
    return;
  }
  best = {now.held_out_loss, state_.step, 0};
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < best_.size(); ++i) best_[i].value.copy_(model_.parameters()[i].value);
}

void Run::log(const TrainProgress& now) const {
  nlohmann::json line = {{"step", now.step},
                         {"tokens", state_.tokens},
                         {"loss", now.loss},
                         {"lr_scale", now.learning_rate_scale},
                         {"grad_norm", now.gradient_norm},
                         {"tokens_per_second", now.tokens_per_second}};
  if (now.held_out_loss >= 0) line["held_out_loss"] = now.held_out_loss;
  append_log(options_.out, line);
}

Expected<FinetuneResult> Run::finish(bool interrupted) {
  if (auto kept = save(); !kept) return kept.error();
  if (!interrupted) {
    const at::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < best_.size(); ++i) at::Tensor(model_.parameters()[i].value).copy_(best_[i].value);
  }
  return FinetuneResult{.steps = state_.step,
                        .tokens = state_.tokens,
                        .base_loss = base_loss_,
                        .best_loss = state_.best.held_out_loss,
                        .best_step = state_.best.step,
                        .interrupted = interrupted,
                        .stopped_early = stopped_early()};
}

Expected<FinetuneResult> Run::train(const std::function<void(const TrainProgress&)>& progress,
                                    const CancelFlag& cancel) {
  const SteadyClock clock;
  ExampleSampler sampler(data_.train, options_.seed, state_.sampler);
  Pace pace;
  if (state_.best.held_out_loss < 0) state_.best.held_out_loss = base_loss_;
  while (state_.step < options_.total_steps && !stopped_early()) {
    if (cancel.cancelled()) return finish(true);
    const TimePoint begin = clock.now();
    const std::size_t tokens_before = state_.tokens;
    TrainProgress now{.stage = "training"};
    step(sampler, now);
    if (!std::isfinite(now.loss)) {
      return make_error("step {}: the loss is {}; lower the learning rate", state_.step, now.loss);
    }
    pace.add(milliseconds_between(begin, clock.now()) / 1000);
    const bool last = state_.step == options_.total_steps;
    if (last || state_.step % options_.evaluate_every_steps == 0) measure(now);
    now.step = state_.step;
    now.total_steps = options_.total_steps;
    now.tokens_per_second = pace.per_second(static_cast<double>(state_.tokens - tokens_before));
    now.eta_seconds = pace.seconds_for(options_.total_steps - state_.step);
    log(now);
    if (progress) progress(now);
    if (state_.step % options_.checkpoint_every_steps != 0) continue;
    if (auto kept = save(); !kept) return kept.error();
  }
  return finish(false);
}

}  // namespace

double mean_loss(const FinetuneModel& model, std::span<const TokenExample> examples, std::size_t micro_batch_tokens) {
  const at::NoGradGuard no_gradient;
  double nats = 0;
  std::size_t scored = 0, tokens = 0;
  std::vector<const TokenExample*> batch;
  const auto flush = [&] {
    if (batch.empty()) return;
    nats += model.loss_sum(batch).item<double>();
    scored += scored_of(batch);
    batch.clear();
    tokens = 0;
  };
  for (const TokenExample& example : examples) {
    if (tokens + example.tokens() > micro_batch_tokens) flush();
    batch.push_back(&example);
    tokens += example.tokens();
  }
  flush();
  return nats / static_cast<double>(std::max<std::size_t>(scored, 1));
}

Expected<FinetuneResult> finetune(const FinetuneModel& model, const TaskData& data, const FinetuneOptions& options,
                                  const std::function<void(const TrainProgress&)>& progress, const CancelFlag& cancel) {
  std::error_code failed;
  fs::create_directories(options.out, failed);
  if (failed) return make_error("{}: {}", options.out, failed.message());
  Run run(model, data, options);
  if (auto resumed = run.resume(); !resumed) return resumed.error();
  return run.train(progress, cancel);
}

}  // namespace weft::adapters
