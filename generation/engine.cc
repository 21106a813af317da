// Drain the inbox, plan a step, run it, hand its logits to the requests; again. Only this loop changes sequences.
#include "generation/engine.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "generation/adapter_table.h"
#include "generation/decoding.h"
#include "generation/inbox.h"
#include "generation/scheduler.h"
#include "generation/session_cache.h"
#include "model/base/log.h"

namespace weft::generation {
namespace {

std::string refusal_of_opening(const GenerationRequest& request, const model::RunnerInfo& model) {
  if (request.opening.empty()) return {};
  if (!request.forced.empty()) {
    return fmt::format("{} tokens are forced after an opening of {} bytes", request.forced.size(),
                       request.opening.size());
  }
  // A byte is a token at most.
  if (request.prompt.size() + request.opening.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens and the opening {} bytes: the model takes {} tokens",
                       request.prompt.size(), request.opening.size(), model.max_positions);
  }
  return {};
}

std::string foreign_token(std::string_view kind, std::span<const TokenId> tokens, std::size_t vocabulary) {
  for (const TokenId token : tokens) {
    if (token.value() < 0 || static_cast<std::size_t>(token.value()) >= vocabulary) {
      return fmt::format("{} token {} is outside of the vocabulary of {}", kind, token.value(), vocabulary);
    }
  }
  return {};
}

std::string refusal_of_shape(const GenerationRequest& request, const model::RunnerInfo& model) {
  if (request.beams == 0 || request.beams > kMostBeams) {
    return fmt::format("a beam search has 1 to {} beams, not {}", kMostBeams, request.beams);
  }
  if (request.forced.size() > request.max_new_tokens) {
    return fmt::format("{} tokens are forced where at most {} are generated", request.forced.size(),
                       request.max_new_tokens);
  }
  if (request.prompt.size() + request.forced.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens and {} are forced: the model takes {}", request.prompt.size(),
                       request.forced.size(), model.max_positions);
  }
  return refusal_of_opening(request, model);
}

// What no step could serve; empty when there is nothing to say against it. `writable`: ids that the tokenizer has.
std::string refusal_of(const GenerationRequest& request, const model::RunnerInfo& model, std::size_t writable) {
  if (request.prompt.empty()) return "the prompt has no tokens";
  if (request.prompt.size() > model.max_positions) {
    return fmt::format("the prompt has {} tokens: the model takes {}", request.prompt.size(), model.max_positions);
  }
  std::string refusal = foreign_token("prompt", request.prompt, model.vocabulary);
  if (refusal.empty()) refusal = foreign_token("forced", request.forced, std::min(model.vocabulary, writable));
  return refusal.empty() ? refusal_of_shape(request, model) : refusal;
}

// Checkpoints are padded: there are logits for more ids than the tokenizer has. What it cannot write is never
// generated, and has no share of the probability.
void drop_padding(model::StepResult& result, std::size_t vocabulary) {
  if (vocabulary >= result.vocabulary) return;
  const std::size_t rows = result.logits.size() / result.vocabulary;
  for (std::size_t row = 1; row < rows; ++row) {
    const std::span<const float> from = result.row(row).first(vocabulary);
    std::ranges::copy(from, result.logits.begin() + static_cast<std::ptrdiff_t>(row * vocabulary));
  }
  result.logits.resize(rows * vocabulary);
  result.vocabulary = vocabulary;
}

}  // namespace

class Engine::Impl {
 public:
  Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
       std::shared_ptr<const Clock> clock, EngineOptions options);
  ~Impl();

  // Thread-safe.
  RequestId submit(GenerationRequest request, EventSink sink);
  void post(Message message) { inbox_.post(std::move(message)); }
  [[nodiscard]] const model::RunnerInfo& model_info() const { return runner_->info(); }
  [[nodiscard]] const model::Tokenizer& tokenizer() const { return *tokenizer_; }
  [[nodiscard]] const model::PrefixTrie& prefix_trie() const { return prefix_trie_; }

  // Sync mode.
  bool poll();

 private:
  void run();
  void drain();
  void handle(Submission submission);
  void handle(Cancellation cancellation);
  void handle(Installation installation);
  void handle(Removal removal);
  void step();
  std::vector<ScheduledPart> start_step();
  HeldSequence sequence_for(const Decoding& decoding);
  SequenceId new_sequence() { return SequenceId(++last_sequence_); }
  void finish(RequestId id, FinishReason reason, std::string error = {});
  void release_sequences();
  void retire(AdapterId adapter);
  void shut_down();

  const std::shared_ptr<model::ModelRunner> runner_;
  const std::shared_ptr<const model::Tokenizer> tokenizer_;
  const model::PrefixTrie prefix_trie_;
  const std::shared_ptr<const Clock> clock_;
  const EngineOptions options_;
  Inbox inbox_;

  // Engine thread only from here on.
  std::map<RequestId, Decoding> requests_;  // unfinished; ids grow, so in the order of submission
  SessionCache sessions_;
  AdapterTable adapters_;
  std::uint64_t last_sequence_ = 0;

  std::thread thread_;
};

Engine::Impl::Impl(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
                   std::shared_ptr<const Clock> clock, EngineOptions options)
    : runner_(std::move(runner)),
      tokenizer_(std::move(tokenizer)),
      prefix_trie_((WEFT_CHECK(tokenizer_), *tokenizer_)),
      clock_(std::move(clock)),
      options_(std::move(options)),
      inbox_(options_.queue_limit),
      sessions_(options_.kept_sessions) {
  WEFT_CHECK(runner_ && clock_);
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
  if (options_.on_submit) options_.on_submit(request, sink);
  std::string refusal = refusal_of(request, model_info(), tokenizer_->vocabulary());
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
  if (submission.refusal.empty() && !adapters_.acquire(submission.request.adapter)) {
    submission.refusal = fmt::format("adapter {} is not installed", submission.request.adapter.value());
    inbox_.count_finished();
  }
  if (submission.refusal.empty()) {
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

void Engine::Impl::handle(Installation installation) {
  const auto install = [&]() -> Expected<AdapterId> {
    if (inbox_.closed()) return make_error("the engine is closing");
    if (installation.adapter == nullptr) return make_error("no adapter is given");
    const AdapterId id = adapters_.new_id();
    if (auto installed = runner_->install_adapter(id, std::move(installation.adapter)); !installed) {
      return installed.error();
    }
    adapters_.add(id);
    return id;
  };
  Expected<AdapterId> installed = install();
  if (installation.done) installation.done(std::move(installed));
}

void Engine::Impl::handle(Removal removal) {
  if (adapters_.remove(removal.id)) retire(removal.id);
}

void Engine::Impl::step() {
  const std::vector<ScheduledPart> parts = start_step();
  model::StepPlan plan;
  std::vector<std::size_t> rows_of_part;
  for (const ScheduledPart& part : parts) rows_of_part.push_back(requests_.at(part.id).add_to(plan, part.tokens));
  for (const SequenceId id : sessions_.take_released()) plan.released.push_back(id);
  Expected<model::StepResult> result = runner_->step(plan);
  if (!result) {
    for (const SequenceId id : plan.released) sessions_.release(id);  // nobody knows whether they are
    for (const ScheduledPart& part : parts) finish(part.id, FinishReason::kFailed, result.error().message);
    return;
  }
  drop_padding(*result, tokenizer_->vocabulary());
  for (const ScheduledPart& part : parts) requests_.at(part.id).count_computed(part.tokens);
  drain();  // who was cancelled during the step sees nothing more of it
  const TimePoint now = clock_->now();
  std::span<const float> logits = result->logits;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t count = rows_of_part[i] * result->vocabulary;
    const std::span<const float> rows = logits.first(count);
    logits = logits.subspan(count);
    const auto found = requests_.find(parts[i].id);
    if (found == requests_.end()) continue;
    const auto reason = found->second.advance(
        rows, {*tokenizer_, prefix_trie_}, [this] { return new_sequence(); }, now);
    if (reason) finish(parts[i].id, *reason);
  }
}

// Who is served next; each has its sequence.
std::vector<ScheduledPart> Engine::Impl::start_step() {
  std::vector<Schedulable> waiting;
  for (const auto& [id, decoding] : requests_) {
    waiting.push_back({id, decoding.request().request_class, decoding.pending_tokens(), decoding.least_tokens()});
  }
  const SchedulerBudget budget{options_.sequences_per_step, options_.tokens_per_step};
  std::vector<ScheduledPart> parts = schedule(waiting, budget);
  for (ScheduledPart& part : parts) {
    Decoding& decoding = requests_.at(part.id);
    if (!decoding.started()) decoding.start(sequence_for(decoding), clock_->now());
    part.tokens = std::min(part.tokens, decoding.pending_tokens());  // reuse leaves less to do
  }
  return parts;
}

HeldSequence Engine::Impl::sequence_for(const Decoding& decoding) {
  if (auto kept = sessions_.take(decoding.session())) return std::move(*kept);
  return {new_sequence(), {}};
}

// The one place where an accepted request ends.
void Engine::Impl::finish(RequestId id, FinishReason reason, std::string error) {
  const auto node = requests_.extract(id);
  Decoding& decoding = node.mapped();
  Decoding::Sequences sequences = decoding.take_sequences();
  for (const SequenceId each : sequences.others) sessions_.release(each);
  if (sequences.first) {
    // After a failure nobody knows what the runner holds.
    if (reason == FinishReason::kFailed) {
      sessions_.release(sequences.first->id);
    } else {
      sessions_.keep(decoding.session(), std::move(*sequences.first));
    }
  }
  if (const AdapterId adapter = decoding.request().adapter; adapters_.release(adapter)) retire(adapter);
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

// Nothing may hold KV of it when the runner lets it go.
void Engine::Impl::retire(AdapterId adapter) {
  sessions_.drop(adapter);
  release_sequences();
  runner_->remove_adapter(adapter);
}

// Callbacks may submit again: those requests end here too.
void Engine::Impl::shut_down() {
  do {
    drain();
    while (!requests_.empty()) finish(requests_.begin()->first, FinishReason::kCancelled);
  } while (!inbox_.empty());
  sessions_.clear();
  release_sequences();
  for (const AdapterId id : adapters_.ids()) runner_->remove_adapter(id);
}

Engine::Engine(std::shared_ptr<model::ModelRunner> runner, std::shared_ptr<const model::Tokenizer> tokenizer,
               std::shared_ptr<const Clock> clock, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(runner), std::move(tokenizer), std::move(clock), std::move(options))) {}

Engine::~Engine() = default;

RequestId Engine::submit(GenerationRequest request, EventSink sink) {
  return impl_->submit(std::move(request), std::move(sink));
}

void Engine::cancel(RequestId id) { impl_->post(Cancellation{id}); }

void Engine::install_adapter(std::shared_ptr<const model::LoraAdapter> adapter,
                             std::function<void(Expected<AdapterId>)> done) {
  impl_->post(Installation{std::move(adapter), std::move(done)});
}

void Engine::remove_adapter(AdapterId id) { impl_->post(Removal{id}); }
bool Engine::poll() { return impl_->poll(); }
const model::RunnerInfo& Engine::model_info() const { return impl_->model_info(); }
const model::Tokenizer& Engine::tokenizer() const { return impl_->tokenizer(); }
const model::PrefixTrie& Engine::prefix_trie() const { return impl_->prefix_trie(); }

}  // namespace weft::generation
