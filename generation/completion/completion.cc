// CompletionService: the pipeline's order, and the book-keeping of requests under way. `complete` runs the first half
// on the caller's thread (place, cache, prompt), the engine generates, the second half (filter, rank, store) runs on
// the engine thread when the last candidate is done. What the engine's sinks hold is Core, which knows no engine: an
// engine must not be destroyed on its own thread.
#include "generation/completion/completion.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "generation/await.h"
#include "generation/completion/candidates.h"
#include "generation/completion/place.h"
#include "generation/completion/prompt.h"
#include "generation/completion/stop.h"
#include "generation/completion/typed_cache.h"
#include "generation/privacy/secrets.h"
#include "model/base/utf8.h"

namespace weft::generation {
namespace {

constexpr std::string_view kSecretFile = "secret file";
constexpr double kSampleTemperature = 0.6;
constexpr double kSampleTopP = 0.95;

// One request between `complete` and `done`. The place's views live as long as the text.
struct Pending {
  CompletionRequest request;
  CursorPlace place;
  StopRules rules;
  std::string opening;  // the prompt's
  CompletionService::Done done;
  CompletionTimings timings;
  TimePoint begun;
  std::vector<RequestId> engine_ids;
  std::vector<GenerationResult> results;  // by candidate; the greedy one first
  std::size_t remaining = 0;
  bool cancelled = false;
};

TypedCache::Moment moment_of(const CompletionRequest& request, const CursorPlace& place) {
  return {request.document.path, place.before, place.after, request.trigger};
}

Expected<void> validate(const CompletionRequest& request) {
  const DocumentView& document = request.document;
  if (document.text == nullptr) return make_error("{} has no text", document.path);
  const std::string& text = *document.text;
  if (request.cursor > text.size()) {
    return make_error("cursor {} is past the end of {}, which has {} bytes", request.cursor, document.path,
                      text.size());
  }
  if (utf8_floor(text, request.cursor) != request.cursor) {
    return make_error("cursor {} in {} is inside a character", request.cursor, document.path);
  }
  return {};
}

// Between the two bytes of a CRLF there is no place: the line ends before both.
std::size_t before_line_end(std::string_view text, std::size_t cursor) {
  const bool inside = cursor > 0 && cursor < text.size() && text[cursor - 1] == '\r' && text[cursor] == '\n';
  return inside ? cursor - 1 : cursor;
}

SamplingOptions sampling_of(std::size_t candidate) {
  if (candidate == 0) return {};
  return {.temperature = kSampleTemperature, .top_k = 0, .top_p = kSampleTopP, .min_p = 0, .seed = candidate};
}

void add_up(CompletionTimings& timings, const std::vector<GenerationResult>& results) {
  for (const GenerationResult& result : results) {
    timings.queue_ms = std::max(timings.queue_ms, result.timings.queue_ms);
    timings.prefill_ms += result.timings.prefill_ms;
    timings.decode_ms += result.timings.decode_ms;
    timings.prompt_tokens = std::max(timings.prompt_tokens, result.timings.prompt_tokens);
    timings.prefilled_tokens += result.timings.prefilled_tokens;
    timings.generated_tokens += result.timings.generated_tokens;
  }
}

CompletionOptions with_screen(CompletionOptions options) {
  if (!options.screen) options.screen = screen;
  return options;
}

// What outlives the service while the engine still works for it. Thread-safe.
class Core {
 public:
  Core(std::shared_ptr<const Clock> clock, CompletionOptions options, const Engine& engine)
      : clock_(std::move(clock)),
        options_(with_screen(std::move(options))),
        model_(engine.model_info().name),
        tokenizer_(engine.tokenizer()),
        cache_(options_.cache_entries) {}

  [[nodiscard]] const CompletionOptions& options() const { return options_; }
  [[nodiscard]] TimePoint now() const { return clock_->now(); }

  RequestId next_id() {
    const std::lock_guard lock(mutex_);
    return RequestId(++last_id_);
  }

  std::vector<CompletionItem> find(const CompletionRequest& request, const CursorPlace& place) {
    const std::lock_guard lock(mutex_);
    return cache_.find(moment_of(request, place));
  }

  void add(RequestId id, std::shared_ptr<Pending> pending) {
    const std::lock_guard lock(mutex_);
    pending_.emplace(id, std::move(pending));
  }

  // The engine may have finished with it before its number is known here.
  void note_engine_id(RequestId id, RequestId engine_id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = pending_.find(id); found != pending_.end()) found->second->engine_ids.push_back(engine_id);
  }

  // Marks as cancelled; what the engine has to be told.
  std::vector<RequestId> mark_cancelled(std::optional<RequestId> id) {
    const std::lock_guard lock(mutex_);
    std::vector<RequestId> engine_ids;
    for (auto& [key, pending] : pending_) {
      if (id && key != *id) continue;
      pending->cancelled = true;
      engine_ids.insert(engine_ids.end(), pending->engine_ids.begin(), pending->engine_ids.end());
    }
    return engine_ids;
  }

  void candidate_done(RequestId id, std::size_t candidate, GenerationResult generated) {
    std::shared_ptr<Pending> pending;
    {
      const std::lock_guard lock(mutex_);
      const auto found = pending_.find(id);
      WEFT_CHECK(found != pending_.end());
      pending = found->second;
      pending->results[candidate] = std::move(generated);
      if (--pending->remaining > 0) return;
      pending_.erase(found);
    }
    finish(*pending);
  }

  CompletionResult result_with(std::vector<CompletionItem> items, CompletionTimings timings, TimePoint begun) const {
    CompletionResult result;
    result.items = std::move(items);
    result.timings = timings;
    result.timings.total_ms = milliseconds_between(begun, now());
    result.model = model_;
    return result;
  }

 private:
  void finish(Pending& pending) {
    add_up(pending.timings, pending.results);
    if (pending.cancelled || std::ranges::any_of(pending.results, [](const GenerationResult& result) {
          return result.reason == FinishReason::kCancelled;
        })) {
      CompletionResult result = result_with({}, pending.timings, pending.begun);
      result.reason = "cancelled";
      result.cancelled = true;
      return pending.done(std::move(result));
    }
    if (std::ranges::all_of(pending.results,
                            [](const GenerationResult& result) { return result.reason == FinishReason::kFailed; })) {
      return pending.done(Error{pending.results.front().error});
    }
    const TimePoint filtering = now();
    Ranked ranked = rank(pending);
    pending.timings.filter_ms = milliseconds_between(filtering, now());
    {
      const std::lock_guard lock(mutex_);
      cache_.store(moment_of(pending.request, pending.place), ranked.items);
    }
    CompletionResult result = result_with(std::move(ranked.items), pending.timings, pending.begun);
    result.reason = ranked.reason;
    result.candidates = std::move(ranked.traces);
    pending.done(std::move(result));
  }

  Ranked rank(const Pending& pending) {
    const DocumentView& document = pending.request.document;
    auto gate = SyntaxGate::make(*pending.place.language, *document.text, pending.place.before.size());
    return rank_candidates(pending.results, {.place = pending.place,
                                             .rules = pending.rules,
                                             .tokenizer = tokenizer_,
                                             .opening = pending.opening,
                                             .gate = gate ? &*gate : nullptr});
  }

  const std::shared_ptr<const Clock> clock_;
  const CompletionOptions options_;
  const std::string model_;
  const model::Tokenizer& tokenizer_;  // the engine's: for its sinks, which it outlives
  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::map<RequestId, std::shared_ptr<Pending>> pending_;
  TypedCache cache_;
};

}  // namespace

class CompletionService::Impl {
 public:
  Impl(std::shared_ptr<Engine> engine, model::ModelConfig config, std::shared_ptr<const Clock> clock,
       CompletionOptions options)
      : engine_(std::move(engine)),
        config_(std::move(config)),
        stop_tokens_(stop_tokens(config_, engine_->tokenizer())),
        core_(std::make_shared<Core>(std::move(clock), std::move(options), *engine_)) {}

  ~Impl() { cancel(std::nullopt); }

  RequestId complete(CompletionRequest request, Done done) {
    const TimePoint begun = core_->now();
    const RequestId id = core_->next_id();
    const auto answer_nothing = [&](std::string_view reason) {
      CompletionResult result = core_->result_with({}, {}, begun);
      result.reason = reason;
      done(std::move(result));
      return id;
    };
    if (auto valid = validate(request); !valid) return done(valid.error()), id;
    const Screen& rules = core_->options().screen;
    if (!rules(request.document.path, {})) return answer_nothing(kSecretFile);
    request.cursor = before_line_end(*request.document.text, request.cursor);
    const CursorPlace place = make_place(*request.document.text, request.cursor,
                                         language_for(request.document.language, request.document.path));
    if (auto items = core_->find(request, place); !items.empty()) {
      CompletionTimings timings;
      timings.from_cache = true;
      done(core_->result_with(std::move(items), timings, begun));
      return id;
    }
    auto prompt = build_prompt({request.document.path, place.before, place.after}, budget(),
                               {config_, engine_->tokenizer(), engine_->prefix_trie()}, rules);
    if (!prompt) return done(prompt.error()), id;
    if (prompt->tokens.empty()) return answer_nothing("empty document");
    StopRules stop = choose_stop_rules(place, request.trigger, core_->options().max_lines);
    auto pending = std::make_shared<Pending>(Pending{
        std::move(request), place, std::move(stop), prompt->opening, std::move(done), {}, begun, {}, {}, 0, false});
    pending->timings.prompt_ms = milliseconds_between(begun, core_->now());
    submit(id, std::move(pending), *prompt);
    return id;
  }

  void cancel(std::optional<RequestId> id) {
    for (const RequestId engine_id : core_->mark_cancelled(id)) engine_->cancel(engine_id);
  }

  [[nodiscard]] Engine& engine() const { return *engine_; }

 private:
  void submit(RequestId id, std::shared_ptr<Pending> pending, const Prompt& prompt) {
    const bool invoked = pending->request.trigger == Trigger::kInvoked;
    const std::size_t candidates = invoked ? std::max<std::size_t>(core_->options().invoked_candidates, 1) : 1;
    const std::string session = pending->request.session + '\n' + pending->request.document.path;
    const StopRules rules = pending->rules;
    pending->results.resize(candidates);
    pending->remaining = candidates;
    core_->add(id, std::move(pending));
    for (std::size_t candidate = 0; candidate < candidates; ++candidate) {
      GenerationRequest generation;
      generation.prompt = prompt.tokens;
      generation.opening = prompt.opening;
      generation.sampling = sampling_of(candidate);
      generation.max_new_tokens = core_->options().max_new_tokens;
      generation.stop_tokens = stop_tokens_;
      generation.stop = make_stop(rules);
      generation.request_class = RequestClass::kInteractive;
      generation.session = session;
      EventSink sink;
      sink.on_done = [core = core_, id, candidate](GenerationResult generated) {
        core->candidate_done(id, candidate, std::move(generated));
      };
      core_->note_engine_id(id, engine_->submit(std::move(generation), std::move(sink)));
    }
  }

  // The generated tokens need positions too.
  [[nodiscard]] PromptBudget budget() const {
    const CompletionOptions& options = core_->options();
    const std::size_t positions = engine_->model_info().max_positions;
    std::size_t total = options.prompt_budget_tokens;
    if (positions > 0) total = std::min(total, positions - std::min(positions, options.max_new_tokens));
    return {total, std::min(options.suffix_budget_tokens, total / 2)};
  }

  const std::shared_ptr<Engine> engine_;
  const model::ModelConfig config_;
  const std::vector<TokenId> stop_tokens_;
  const std::shared_ptr<Core> core_;
};

CompletionService::CompletionService(std::shared_ptr<Engine> engine, model::ModelConfig config,
                                     std::shared_ptr<const Clock> clock, CompletionOptions options)
    : impl_(std::make_shared<Impl>(std::move(engine), std::move(config), std::move(clock), std::move(options))) {}

CompletionService::~CompletionService() = default;

RequestId CompletionService::complete(CompletionRequest request, Done done) {
  return impl_->complete(std::move(request), std::move(done));
}

void CompletionService::cancel(RequestId id) { impl_->cancel(id); }

Expected<CompletionResult> CompletionService::complete_now(CompletionRequest request) {
  return await<CompletionResult>(impl_->engine(), [&](Done done) { complete(std::move(request), std::move(done)); });
}

}  // namespace weft::generation
