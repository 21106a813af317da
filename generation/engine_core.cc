#include "generation/engine_core.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "generation/scheduler.h"

namespace weft::generation {
namespace {

constexpr std::size_t kDraftingRequests = 2;    // more than that fill the step without guesses
constexpr std::size_t kSmallestChunkShare = 8;  // of the step's tokens

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

EngineCore::EngineCore(EngineParts parts, EngineOptions options, std::function<void()> on_finished)
    : runner_(std::move(parts.runner)),
      tokenizer_(std::move(parts.tokenizer)),
      clock_(std::move(parts.clock)),
      options_(options),
      on_finished_(std::move(on_finished)),
      tools_{*tokenizer_, parts.prefix_trie, [this] { return SequenceId(++last_sequence_); }},
      kv_(runner_, tools_.new_sequence) {
  WEFT_CHECK(options_.sequences_per_step > 0 && options_.tokens_per_step > 0 && options_.shared_tokens > 0);
}

void EngineCore::accept(Submission submission) {
  if (!submission.refusal.empty()) return refuse(std::move(submission));
  if (!adapters_.acquire(submission.request.adapter)) {
    submission.refusal = fmt::format("adapter {} is not installed", submission.request.adapter.value());
    on_finished_();
    return refuse(std::move(submission));
  }
  const RequestId id = submission.id;
  requests_.try_emplace(id, std::move(submission), runner_->info());
}

void EngineCore::refuse(Submission submission) {
  std::string error = std::move(submission.refusal);
  Decoding never_started(std::move(submission), runner_->info());
  ++counts_.requests_failed;
  publish();
  const EventSink sink = never_started.take_sink();
  if (sink.on_done) {
    sink.on_done(never_started.take_result(FinishReason::kFailed, std::move(error), clock_->now()));
  }
}

void EngineCore::cancel(RequestId id) {
  if (requests_.contains(id)) finish(id, FinishReason::kCancelled);
}

Expected<AdapterId> EngineCore::install(std::shared_ptr<const model::LoraAdapter> adapter) {
  if (adapter == nullptr) return make_error("no adapter is given");
  const AdapterId id = adapters_.new_id();
  if (auto installed = runner_->install_adapter(id, std::move(adapter)); !installed) return installed.error();
  adapters_.add(id);
  return id;
}

void EngineCore::remove(AdapterId id) {
  if (adapters_.remove(id)) retire(id);
}

// Nothing may hold KV of it when the runner lets it go.
void EngineCore::retire(AdapterId adapter) {
  kv_.drop(adapter);
  kv_.flush();
  runner_->remove_adapter(adapter);
}

void EngineCore::step(const std::function<void()>& listen) {
  std::vector<Served> parts = with_room(choose());
  if (parts.empty()) return;
  begin(parts);
  const model::StepPlan plan = plan_of(parts);
  const TimePoint begun = clock_->now();
  Expected<model::StepResult> result = runner_->step(plan);
  const TimePoint now = clock_->now();
  ++counts_.steps;
  counts_.step_ms += milliseconds_between(begun, now);
  if (!result) return fail_step(parts, plan, result.error().message);
  if (result->out_of_memory) return retry_or_fail(parts, plan);
  note_cost(parts, plan, milliseconds_between(begun, now));
  for (const Served& part : parts) {
    Decoding& decoding = requests_.at(part.id);
    decoding.count_computed(part.tokens, now);
    shares_.note(decoding.request().session, part.tokens, now);
  }
  listen();
  take_rows(parts, *std::move(result));
  publish();
}

std::vector<EngineCore::Served> EngineCore::choose() {
  const TimePoint now = clock_->now();
  std::vector<Schedulable> waiting;
  for (const auto& [id, decoding] : requests_) {
    if (waits_for_twin(decoding)) continue;
    waiting.push_back(decoding.schedulable());
    waiting.back().served = shares_.of(decoding.request().session, now);
  }
  std::size_t tokens = options_.tokens_per_step;
  if (const auto each_ms = tools_.costs.prompt_token_ms(); each_ms && *each_ms > 0) {
    const auto in_time = static_cast<std::size_t>(static_cast<double>(options_.step_time.count()) / *each_ms);
    tokens = std::clamp(in_time, std::max<std::size_t>(1, tokens / kSmallestChunkShare), tokens);
  }
  std::vector<Served> parts;
  for (const ScheduledPart& part : schedule(waiting, {.requests = options_.sequences_per_step,
                                                     .tokens = tokens,
                                                     .shared_tokens = std::min(tokens, options_.shared_tokens),
                                                     .now = now})) {
    parts.push_back({part.id, part.tokens});
  }
  return parts;
}

// Somebody who came before computes the very prompt: it will be there to share. Who waits never waits for a worse
// class.
bool EngineCore::waits_for_twin(const Decoding& decoding) const {
  if (decoding.running()) return false;
  const GenerationRequest& own = decoding.request();
  for (const auto& [id, other] : requests_) {
    if (id >= decoding.id()) break;
    const GenerationRequest& earlier = other.request();
    if (!other.has_prompt() && earlier.request_class <= own.request_class && earlier.adapter == own.adapter &&
        earlier.prompt == own.prompt) {
      return true;
    }
  }
  return false;
}

std::vector<EngineCore::Served> EngineCore::with_room(std::vector<Served> parts) {
  const auto room = [&] {
    std::size_t all = 0;
    for (const Served& part : parts) {
      const std::size_t lines = requests_.at(part.id).schedulable().least_tokens;
      all += part.tokens + lines * kv_.room_for(kMostRows);
    }
    return all;
  };
  const auto first = [this](const auto& range) {
    return *std::ranges::min_element(range, {}, [this](const Served& part) { return rank_of(part.id); });
  };
  while (!parts.empty() && !kv_.make_room(room())) {
    if (preempt_after(first(parts).id, parts)) continue;
    if (parts.size() > 1) {
      parts = {first(parts)};
    } else if (const RequestId oldest = first_of_all(); oldest != parts.front().id) {
      parts = {{oldest, requests_.at(oldest).schedulable().least_tokens}};
    } else {
      fail_largest(parts);
      parts.clear();
    }
  }
  return parts;
}

// Who keeps its KV where memory is short: the better class, then the older request. One and the same until it ends, so
// that two that do not fit beside each other do not take turns in starting again.
std::pair<RequestClass, RequestId> EngineCore::rank_of(RequestId id) const {
  return {requests_.at(id).request().request_class, id};
}

RequestId EngineCore::first_of_all() const {
  const auto rank = [this](const auto& each) { return rank_of(each.first); };
  return std::ranges::min_element(requests_, {}, rank)->first;
}

// The last in rank, of those behind `first` that are not served, gives back what it holds: it starts again when there
// is room.
bool EngineCore::preempt_after(RequestId first, const std::vector<Served>& parts) {
  std::optional<RequestId> last;
  for (const auto& [id, decoding] : requests_) {
    const bool served = std::ranges::find(parts, id, &Served::id) != parts.end();
    if (served || decoding.held_tokens() == 0 || rank_of(id) < rank_of(first)) continue;
    if (!last || rank_of(id) > rank_of(*last)) last = id;
  }
  if (!last) return false;
  ++counts_.preemptions;
  Decoding& victim = requests_.at(*last);
  kv_.keep(victim.request().adapter, victim.suspend());
  return true;
}

void EngineCore::fail_largest(const std::vector<Served>& parts) {
  const auto size = [this](const Served& part) {
    const Schedulable of = requests_.at(part.id).schedulable();
    return of.pending_tokens + requests_.at(part.id).held_tokens();
  };
  const Served largest = *std::ranges::max_element(parts, {}, size);
  finish(largest.id, FinishReason::kFailed,
         fmt::format("out of memory: there is no room for {} more tokens", largest.tokens));
}

// Each has its sequences afterwards; what is held leaves less to do. Who begins may share the prompts of those that
// run.
void EngineCore::begin(std::vector<Served>& parts) {
  const bool begins =
      std::ranges::any_of(parts, [this](const Served& part) { return !requests_.at(part.id).running(); });
  for (auto& [id, decoding] : requests_) {
    if (begins && decoding.prompt_is_new()) kv_.share_prompt(decoding);
  }
  for (Served& part : parts) {
    Decoding& decoding = requests_.at(part.id);
    if (!decoding.running()) decoding.start(kv_.find(decoding), tools_.new_sequence, clock_->now());
    part.tokens = std::min(part.tokens, decoding.schedulable().pending_tokens);
  }
}

model::StepPlan EngineCore::plan_of(std::vector<Served>& parts) {
  model::StepPlan plan;
  kv_.add_moves(plan);
  const Decoding::Drafting drafting{parts.size() <= kDraftingRequests, tools_};
  for (Served& part : parts) part.rows = requests_.at(part.id).add_to(plan, part.tokens, drafting);
  return plan;
}

// A step of one request that decodes tells what rows cost; one that is mostly prompt, what a token of a prompt does.
void EngineCore::note_cost(const std::vector<Served>& parts, const model::StepPlan& plan, double ms) {
  std::size_t tokens = 0;
  for (const model::StepSequence& part : plan.sequences) tokens += part.tokens.size();
  if (plan.sequences.size() == 1 && tokens == parts.front().rows) tools_.costs.note_decoding(tokens, ms);
  if (tokens >= 2 * kMostRows) tools_.costs.note_prompt(tokens, ms);
}

void EngineCore::take_rows(const std::vector<Served>& parts, model::StepResult result) {
  drop_padding(result, tokenizer_->vocabulary());
  const TimePoint now = clock_->now();
  std::span<float> logits = result.logits;
  for (const Served& part : parts) {
    const std::span<float> rows = logits.first(part.rows * result.vocabulary);
    logits = logits.subspan(rows.size());
    const auto found = requests_.find(part.id);
    if (found == requests_.end()) continue;
    if (const auto reason = found->second.advance(rows, tools_, now)) finish(part.id, *reason);
  }
}

// Nobody knows what the runner did of the plan.
void EngineCore::forget(const model::StepPlan& plan) {
  ++counts_.failed_steps;
  kv_.clear();
  kv_.release({{}, std::nullopt, plan.released});
}

void EngineCore::fail_step(const std::vector<Served>& parts, const model::StepPlan& plan, const std::string& error) {
  forget(plan);
  for (const Served& part : parts) finish(part.id, FinishReason::kFailed, error);
}

void EngineCore::retry_or_fail(const std::vector<Served>& parts, const model::StepPlan& plan) {
  forget(plan);
  const bool again =
      std::ranges::none_of(parts, [this](const Served& part) { return requests_.at(part.id).tried_again(); });
  for (const Served& part : parts) {
    Decoding& decoding = requests_.at(part.id);
    kv_.release(decoding.suspend());
    decoding.note_try();
  }
  kv_.flush();
  if (!again) fail_largest(parts);
  publish();
}

// The one place where an accepted request ends.
void EngineCore::finish(RequestId id, FinishReason reason, std::string error) {
  const auto node = requests_.extract(id);
  Decoding& decoding = node.mapped();
  const AdapterId adapter = decoding.request().adapter;
  const Decoding::Sequences held = decoding.suspend();
  // After a failure nobody knows what the runner holds.
  reason == FinishReason::kFailed ? kv_.release(held) : kv_.keep(adapter, held);
  if (adapters_.release(adapter)) retire(adapter);
  const EventSink sink = decoding.take_sink();
  GenerationResult result = decoding.take_result(reason, std::move(error), clock_->now());
  ++(reason == FinishReason::kCancelled ? counts_.requests_cancelled
     : reason == FinishReason::kFailed  ? counts_.requests_failed
                                        : counts_.requests_finished);
  const GenerationTimings& timings = result.timings;
  if (timings.steps > 0) counts_.prompt_tokens += timings.prompt_tokens;
  counts_.cached_tokens += timings.cached_tokens;
  counts_.prefilled_tokens += timings.prefilled_tokens;
  counts_.generated_tokens += timings.generated_tokens;
  if (reason == FinishReason::kCancelled) counts_.wasted_tokens += timings.generated_tokens;
  counts_.drafted_tokens += timings.drafted_tokens;
  counts_.accepted_tokens += timings.accepted_tokens;
  publish();
  on_finished_();
  if (sink.on_done) sink.on_done(std::move(result));
}

void EngineCore::settle() { kv_.flush(); }

void EngineCore::cancel_all() {
  while (!requests_.empty()) finish(requests_.begin()->first, FinishReason::kCancelled);
}

void EngineCore::release_all() {
  kv_.clear();
  kv_.flush();
  for (const AdapterId id : adapters_.ids()) runner_->remove_adapter(id);
}

void EngineCore::publish() {
  counts_.requests_running = requests_.size();
  counts_.cache_tokens = kv_.cached_tokens();
  counts_.evicted_tokens = kv_.evicted_tokens();
  const std::lock_guard lock(mutex_);
  published_ = counts_;
}

EngineMetrics EngineCore::metrics() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace weft::generation
