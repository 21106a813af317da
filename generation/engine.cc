// Drain the inbox, plan a step, run it, hand its logits to the requests; again. Only this loop changes sequences.
#include "generation/engine.h"

#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "generation/decoding.h"
#include "generation/inbox.h"
#include "generation/scheduler.h"
#include "generation/session_cache.h"
#include "model/base/log.h"

namespace weft::generation {
namespace {

// What no step could serve; empty when there is nothing to say against it.
std::string refusal_of(const GenerationRequest& request, const model::RunnerInfo& model) {
  if (request.prompt.empty()) return "the prompt has no tokens";
  if (request.prompt.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens: the model takes {}", request.prompt.size(), model.max_positions);
  }
  for (const TokenId token : request.prompt) {
    if (token.value() < 0 || static_cast<std::size_t>(token.value()) >= model.vocabulary) {
      return fmt::format("prompt token {} is outside of the vocabulary of {}", token.value(), model.vocabulary);
    }
  }
  return {};
}

}  // namespace

class Engine::Impl {
 public:
  Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
       std::shared_ptr<const Clock> clock, EngineOptions options);
  ~Impl();

  // Thread-safe.
  RequestId submit(GenerationRequest request, EventSink sink);
  void cancel(RequestId id) { inbox_.cancel(id); }
  [[nodiscard]] const model::RunnerInfo& model_info() const { return runner_->info(); }
  [[nodiscard]] const model::Tokenizer& tokenizer() const { return *tokenizer_; }

  // Sync mode.
  bool poll();

 private:
  void run();
  void drain();
  void handle(Submission submission);
  void handle(Cancellation cancellation);
  void step();
  std::vector<ScheduledPart> start_step();
  HeldSequence sequence_for(const GenerationRequest& request);
  void advance(const std::vector<ScheduledPart>& parts, const model::StepPlan& plan, const model::StepResult& result);
  void finish(RequestId id, FinishReason reason, std::string error = {});
  void release_sequences();
  void shut_down();

  const std::shared_ptr<model::ModelRunner> runner_;
  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const std::shared_ptr<const Clock> clock_;
  const EngineOptions options_;
  Inbox inbox_;

  // Engine thread only from here on.
  std::map<RequestId, Decoding> requests_;  // unfinished; ids grow, so in the order of submission
  SessionCache sessions_;
  std::uint64_t last_sequence_ = 0;

  std::thread thread_;
};

Engine::Impl::Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
                   std::shared_ptr<const Clock> clock, EngineOptions options)
    : runner_(std::move(runner)),
      tokenizer_(std::move(tokenizer)),
      clock_(std::move(clock)),
      options_(options),
      inbox_(options.queue_limit),
      sessions_(options.kept_sessions) {
  WEFT_CHECK(runner_ && tokenizer_ && clock_);
  WEFT_CHECK(options_.sequences_per_step > 0 && options_.tokens_per_step > 0);
  if (options_.threads > 0) thread_ = std::thread([this] { run(); });
}

Engine::Impl::~Impl() {
  inbox_.close();
  if (options_.threads == 0) {
    shut_down();
    return;
  }
  WEFT_CHECK(thread_.get_id() != std::this_thread::get_id());
  thread_.join();
}

RequestId Engine::Impl::submit(GenerationRequest request, EventSink sink) {
  std::string refusal = refusal_of(request, model_info());
  return inbox_.submit({RequestId(), std::move(request), std::move(sink), clock_->now(), std::move(refusal)});
}

void Engine::Impl::run() {
  while (requests_.empty() ? inbox_.wait_for_message() : !inbox_.closed()) {
    drain();
    if (!requests_.empty()) step();
    if (requests_.empty()) release_sequences();
  }
  shut_down();
}

bool Engine::Impl::poll() {
  if (options_.threads > 0) return false;
  drain();
  if (!requests_.empty()) step();
  if (requests_.empty()) release_sequences();
  return !requests_.empty() || !inbox_.empty();
}

void Engine::Impl::drain() {
  for (Message& message : inbox_.take()) {
    std::visit([this](auto& each) { handle(std::move(each)); }, message);
  }
}

void Engine::Impl::handle(Submission submission) {
  const RequestId id = submission.id;
  const bool refused = !submission.refusal.empty();
  if (!refused) {
    requests_.try_emplace(id, std::move(submission), model_info().max_positions);
    return;
  }
  std::string error = std::move(submission.refusal);
  Decoding never_started(std::move(submission), model_info().max_positions);
  const EventSink sink = never_started.take_sink();
  if (sink.on_done) {
    sink.on_done(never_started.take_result(FinishReason::kFailed, std::move(error), clock_->now()));
  }
}

void Engine::Impl::handle(Cancellation cancellation) {
  if (requests_.contains(cancellation.id)) finish(cancellation.id, FinishReason::kCancelled);
}

void Engine::Impl::step() {
  const std::vector<ScheduledPart> parts = start_step();
  model::StepPlan plan;
  for (const ScheduledPart& part : parts) plan.sequences.push_back(requests_.at(part.id).next_part(part.tokens));
  plan.released = sessions_.take_released();
  const Expected<model::StepResult> result = runner_->step(plan);
  if (!result) {
    for (const ScheduledPart& part : parts) finish(part.id, FinishReason::kFailed, result.error().message);
    return;
  }
  for (const ScheduledPart& part : parts) requests_.at(part.id).count_computed(part.tokens);
  drain();  // who was cancelled during the step sees nothing more of it
  advance(parts, plan, *result);
}

// Who is served next; each has its sequence.
std::vector<ScheduledPart> Engine::Impl::start_step() {
  std::vector<Schedulable> waiting;
  for (const auto& [id, decoding] : requests_) {
    waiting.push_back({id, decoding.request().request_class, decoding.pending_tokens()});
  }
  const SchedulerBudget budget{options_.sequences_per_step, options_.tokens_per_step};
  std::vector<ScheduledPart> parts = schedule(waiting, budget);
  for (ScheduledPart& part : parts) {
    Decoding& decoding = requests_.at(part.id);
    if (!decoding.started()) decoding.start(sequence_for(decoding.request()), clock_->now());
    part.tokens = std::min(part.tokens, decoding.pending_tokens());  // reuse leaves less to do
  }
  return parts;
}

HeldSequence Engine::Impl::sequence_for(const GenerationRequest& request) {
  if (auto kept = sessions_.take(request.session)) return std::move(*kept);
  return {SequenceId(++last_sequence_), {}};
}

// parts[i] is plan.sequences[i].
void Engine::Impl::advance(const std::vector<ScheduledPart>& parts, const model::StepPlan& plan,
                           const model::StepResult& result) {
  const TimePoint now = clock_->now();
  std::size_t rows = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool has_row = plan.sequences[i].wants_logits;
    const std::span<const float> logits = has_row ? result.row(rows++) : std::span<const float>();
    const auto found = requests_.find(parts[i].id);
    if (found == requests_.end()) continue;
    if (const auto reason = found->second.advance(logits, *tokenizer_, now)) finish(parts[i].id, *reason);
  }
}

// The one place where an accepted request ends.
void Engine::Impl::finish(RequestId id, FinishReason reason, std::string error) {
  const auto node = requests_.extract(id);
  Decoding& decoding = node.mapped();
  if (auto sequence = decoding.take_sequence()) {
    // After a failure nobody knows what the runner holds.
    if (reason == FinishReason::kFailed) {
      sessions_.release(sequence->id);
    } else {
      sessions_.keep(decoding.request().session, std::move(*sequence));
    }
  }
  inbox_.count_finished();
  const EventSink sink = decoding.take_sink();
  if (sink.on_done) sink.on_done(decoding.take_result(reason, std::move(error), clock_->now()));
}

// While nothing runs, no step takes the released sequences along.
void Engine::Impl::release_sequences() {
  std::vector<SequenceId> released = sessions_.take_released();
  if (released.empty()) return;
  const auto result = runner_->step({.sequences = {}, .released = std::move(released)});
  if (!result) spdlog::warn("the model did not release its sequences: {}", result.error().message);
}

// Callbacks may submit again: those requests end here too.
void Engine::Impl::shut_down() {
  do {
    drain();
    while (!requests_.empty()) finish(requests_.begin()->first, FinishReason::kCancelled);
  } while (!inbox_.empty());
  sessions_.clear();
  release_sequences();
}

Engine::Engine(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
               std::shared_ptr<const Clock> clock, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(runner), std::move(tokenizer), std::move(clock), options)) {}

Engine::~Engine() = default;

RequestId Engine::submit(GenerationRequest request, EventSink sink) {
  return impl_->submit(std::move(request), std::move(sink));
}

void Engine::cancel(RequestId id) { impl_->cancel(id); }
void Engine::install_adapter(std::shared_ptr<const model::LoraAdapter> /*adapter*/,
                             std::function<void(Expected<AdapterId>)> done) {
  done(make_error("adapters are not served yet"));
}

void Engine::remove_adapter(AdapterId /*id*/) {}
bool Engine::poll() { return impl_->poll(); }
const model::RunnerInfo& Engine::model_info() const { return impl_->model_info(); }
const model::Tokenizer& Engine::tokenizer() const { return impl_->tokenizer(); }

}  // namespace weft::generation
