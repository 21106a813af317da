#include "generation/completion/pipeline.h"

#include <algorithm>
#include <utility>

#include "generation/completion/threshold.h"
#include "generation/privacy/secrets.h"
#include "model/base/utf8.h"

namespace weft::generation {
namespace {

constexpr double kSampleTemperature = 0.6;
constexpr double kSampleTopP = 0.95;

ResultCache::Moment moment_of(const CompletionRequest& request, const CursorPlace& place) {
  return {request.document.path, place.before, place.after, request.trigger, request.adapter};
}

CursorPlace place_of(const CompletionRequest& request) {
  return make_place(*request.document.text, request.cursor,
                    language_for(request.document.language, request.document.path));
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

bool all_failed(const std::vector<GenerationResult>& results) {
  return std::ranges::all_of(results, [](const auto& result) { return result.reason == FinishReason::kFailed; });
}

bool any_cancelled(const std::vector<GenerationResult>& results) {
  return std::ranges::any_of(results, [](const auto& result) { return result.reason == FinishReason::kCancelled; });
}

CompletionOptions with_screen(CompletionOptions options) {
  if (!options.screen) options.screen = screen;
  return options;
}

// A line that begins with blanks has its indentation, unless a block was opened above it that it is not deeper than.
// In an empty line nobody has chosen one.
std::string not_first_at(const CursorPlace& place) {
  if (place.line_before.empty() || !trimmed(place.line_before).empty()) return {};
  const std::string_view above = trimmed_right(place.before.substr(0, place.before.size() - place.line_before.size()));
  const std::string_view last = above.substr(above.rfind('\n') + 1);  // npos + 1: the text's beginning
  const bool opens_block = !last.empty() && last.back() == place.language->block_opener;
  if (opens_block && last.find_first_not_of(" \t") >= place.line_before.size()) return {};
  return " \t\n";
}

// A line break that the text begins with is no line.
void keep_first_line(CompletionItem& item) {
  const std::size_t begin = item.text.find_first_not_of("\r\n");
  const std::size_t end = item.text.find('\n', std::min(begin, item.text.size()));
  if (end != std::string::npos) item.text.resize(trimmed_right(std::string_view(item.text).substr(0, end)).size());
}

std::string session_of(const CompletionRequest& request) { return request.session + '\n' + request.document.path; }

}  // namespace

Pipeline::Pipeline(Engine& engine, model::ModelConfig config, std::shared_ptr<const Clock> clock,
                   CompletionOptions options)
    : engine_(engine),
      config_(std::move(config)),
      stop_tokens_(stop_tokens(config_, engine.tokenizer())),
      clock_(std::move(clock)),
      options_(with_screen(std::move(options))),
      model_(engine.model_info().name),
      memories_(engine.shared_tokenizer(), options_.memory, options_.environment),
      cache_(options_.cache_entries) {}

RequestId Pipeline::next_id() {
  const std::lock_guard lock(mutex_);
  return RequestId(++last_id_);
}

RequestId Pipeline::complete(CompletionRequest request, Done done) {
  const TimePoint begun = clock_->now();
  const RequestId id = next_id();
  if (auto valid = validate(request); !valid) return done(valid.error()), id;
  if (!options_.screen(request.document.path, {})) return done(nothing("secret file", {}, begun)), id;
  request.cursor = before_line_end(*request.document.text, request.cursor);
  const CursorPlace place = place_of(request);
  std::optional<ResultCache::Offer> offered;
  {
    const std::lock_guard lock(mutex_);
    offered = cache_.find(moment_of(request, place));
  }
  if (offered) {
    CompletionTimings timings;
    timings.from_cache = true;
    return done(result_of({std::move(offered->items), std::move(offered->reason), {}}, timings, begun)), id;
  }
  stop_background(request);
  const auto prompt = prompt_at(request, place);
  if (!prompt) return done(prompt.error()), id;
  if (prompt->tokens.empty()) return done(nothing("empty document", {}, begun)), id;
  auto pending = std::make_shared<Pending>(std::move(request), place, options_.max_lines);
  pending->done = std::move(done);
  pending->begun = begun;
  start(id, std::move(pending), *prompt);
  return id;
}

Expected<Prompt> Pipeline::prompt_at(const CompletionRequest& request, const CursorPlace& place) {
  const std::vector<FimFile> context =
      context_.context_at(request, place, context_budget(), engine_.tokenizer(), options_.screen);
  const std::string repository = request.root.substr(request.root.find_last_of('/') + 1);
  return build_prompt({.path = request.document.path,
                       .before = place.before,
                       .after = place.after,
                       .context = context,
                       .repository = repository,
                       .told_path = told_path(request.document.path, request.root)},
                      budget(), {config_, engine_.tokenizer(), engine_.prefix_trie()}, options_.screen);
}

std::size_t Pipeline::context_budget() const {
  return config_.fim.header == model::FileHeader::kNone ? 0 : options_.context_budget_tokens;
}

// The context and the generated tokens need positions too.
PromptBudget Pipeline::budget() const {
  const std::size_t positions = engine_.model_info().max_positions;
  const std::size_t others = options_.max_new_tokens + context_budget();
  std::size_t total = options_.prompt_budget_tokens;
  if (positions > 0) total = std::min(total, positions - std::min(positions, others));
  return {total, std::min(options_.suffix_budget_tokens, total / 2)};
}

std::vector<GenerationRequest> Pipeline::generations(Pending& pending, const Prompt& prompt) {
  const bool invoked = pending.request.trigger == Trigger::kInvoked;
  const bool searches = invoked && options_.invoked_beams > 1;
  const std::size_t samples = invoked && !searches ? std::max<std::size_t>(options_.invoked_candidates, 1) : 1;
  const Memories::AtPlace remembered = memories_.at(pending.request, prompt.opening.size());
  pending.environment = remembered.environment;
  std::vector<GenerationRequest> out;
  for (std::size_t candidate = 0; candidate < samples; ++candidate) {
    GenerationRequest& generation = out.emplace_back();
    generation.prompt = prompt.tokens;
    generation.opening = prompt.opening;
    generation.not_first = not_first_at(pending.place);
    generation.sampling = sampling_of(candidate);
    generation.beams = searches ? options_.invoked_beams : 1;
    generation.max_new_tokens = options_.max_new_tokens;
    generation.stop_tokens = stop_tokens_;
    generation.stop = make_stop(pending.rules);
    generation.request_class = pending.background ? RequestClass::kBackground : RequestClass::kInteractive;
    generation.adapter = pending.request.adapter;
    generation.session = session_of(pending.request);
    generation.memory = remembered.memory;
    generation.memory_context = remembered.context;
    generation.memory_weights = options_.memory_weights;
  }
  return out;
}

void Pipeline::start(RequestId id, std::shared_ptr<Pending> pending, const Prompt& prompt) {
  pending->opening = prompt.opening;
  std::vector<GenerationRequest> requests = generations(*pending, prompt);
  pending->timings.prompt_ms = milliseconds_between(pending->begun, clock_->now());
  pending->results.resize(requests.size());
  pending->remaining = requests.size();
  {
    const std::lock_guard lock(mutex_);
    pending_.emplace(id, std::move(pending));
  }
  for (std::size_t candidate = 0; candidate < requests.size(); ++candidate) {
    EventSink sink;
    if (requests.size() == 1 && options_.first_answer_ms > 0) {
      sink.on_text = [self = shared_from_this(), id](const TextSoFar& so_far) { self->text_grew(id, so_far); };
    }
    sink.on_done = [self = shared_from_this(), id, candidate](GenerationResult generated) {
      self->candidate_done(id, candidate, std::move(generated));
    };
    const RequestId engine_id = engine_.submit(std::move(requests[candidate]), std::move(sink));
    const std::lock_guard lock(mutex_);  // it may have ended, or have been cancelled, before its number is known here
    const auto found = pending_.find(id);
    if (found == pending_.end()) continue;
    found->second->engine_ids.push_back(engine_id);
    if (found->second->cancelled) engine_.cancel(engine_id);
  }
}

template <class Which>
void Pipeline::stop(Which which) {
  std::vector<RequestId> engine_ids;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, pending] : pending_) {
      if (!which(id, *pending)) continue;
      pending->cancelled = true;
      engine_ids.insert(engine_ids.end(), pending->engine_ids.begin(), pending->engine_ids.end());
    }
  }
  for (const RequestId engine_id : engine_ids) engine_.cancel(engine_id);
}

void Pipeline::cancel(RequestId id) {
  stop([id](RequestId other, const Pending& pending) { return other == id && pending.done; });
}

void Pipeline::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  stop([](RequestId, const Pending&) { return true; });
}

// What nobody waits for, of the same session and document: the user went another way.
void Pipeline::stop_background(const CompletionRequest& request) {
  const std::string session = session_of(request);
  stop([&](RequestId, const Pending& pending) { return !pending.done && session_of(pending.request) == session; });
}

// The deadline cuts further lines alone: the first answer is at least one.
void Pipeline::text_grew(RequestId id, const TextSoFar& so_far) {
  const std::string_view text = so_far.text;
  const std::size_t end = text.rfind('\n');
  if (end == std::string_view::npos || trimmed(text.substr(0, end)).empty()) return;
  std::shared_ptr<Pending> pending;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    pending = found->second;
    const bool waits = pending->done && !pending->cancelled && pending->request.trigger == Trigger::kAutomatic;
    if (!waits || pending->tried_bytes >= end) return;
    if (milliseconds_between(pending->begun, clock_->now()) < options_.first_answer_ms) return;
    pending->tried_bytes = end;
  }
  GenerationResult lines;
  lines.reason = FinishReason::kStopCondition;
  lines.text = text.substr(0, end);
  lines.tokens.assign(so_far.tokens.begin(), so_far.tokens.end());
  lines.logprobs.assign(so_far.logprobs.begin(), so_far.logprobs.end());
  Ranked ranked = rank(*pending, {&lines, 1});
  if (ranked.items.empty()) return;
  store(*pending, ranked);
  CompletionResult result = result_of(std::move(ranked), pending->timings, pending->begun);
  result.partial = true;
  Done done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(pending->done, nullptr);
  }
  done(std::move(result));
}

void Pipeline::candidate_done(RequestId id, std::size_t candidate, GenerationResult generated) {
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

void Pipeline::finish(Pending& pending) {
  const bool waits = pending.done != nullptr;
  add_up(pending.timings, pending.results);
  if (pending.cancelled || any_cancelled(pending.results)) {
    CompletionResult result = nothing("cancelled", pending.timings, pending.begun);
    result.cancelled = true;
    if (waits) pending.done(std::move(result));
    return;
  }
  if (all_failed(pending.results)) {
    if (waits) pending.done(Error{pending.results.front().error});
    return;
  }
  const TimePoint filtering = clock_->now();
  Ranked ranked = rank(pending, pending.results);
  pending.timings.filter_ms = milliseconds_between(filtering, clock_->now());
  store(pending, ranked);
  if (!waits) return;
  const std::optional<CompletionItem> first = ranked.items.empty() ? std::nullopt : std::optional(ranked.items.front());
  pending.done(result_of(std::move(ranked), pending.timings, pending.begun));
  if (first && options_.continues_accepted) continue_accepted(pending, *first);
}

// What the model would say next if the item were accepted.
void Pipeline::continue_accepted(const Pending& pending, const CompletionItem& item) {
  CompletionRequest next = pending.request;
  std::string text = *next.document.text;
  text.replace(item.replace_begin, item.replace_end - item.replace_begin, item.text);
  next.document.text = std::make_shared<const std::string>(std::move(text));
  next.cursor = item.replace_begin + item.text.size();
  next.trigger = Trigger::kAutomatic;
  const CursorPlace place = place_of(next);
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || cache_.find(moment_of(next, place))) return;
  }
  const auto prompt = prompt_at(next, place);
  if (!prompt || prompt->tokens.empty()) return;
  auto ahead = std::make_shared<Pending>(std::move(next), place, options_.max_lines);
  ahead->begun = clock_->now();
  ahead->background = true;
  start(next_id(), std::move(ahead), *prompt);
}

Ranked Pipeline::rank(const Pending& pending, std::span<const GenerationResult> results) const {
  auto gate = SyntaxGate::make(*pending.place.language, *pending.request.document.text, pending.place.before.size());
  Ranked ranked = rank_candidates(results, {.place = pending.place,
                                            .rules = pending.rules,
                                            .tokenizer = engine_.tokenizer(),
                                            .opening = pending.opening,
                                            .gate = gate ? &*gate : nullptr,
                                            .calibration = options_.calibration.get(),
                                            .environment = pending.environment.get()});
  // Who asked sees what there is, and what has been shown goes on.
  if (pending.request.trigger == Trigger::kInvoked || ranked.items.empty()) return ranked;
  CompletionItem& first = ranked.items.front();
  if (!sure_of_further_lines(first.parts, options_.calibration.get())) keep_first_line(first);
  const bool shown = pending.tried_bytes > 0 && !pending.done;
  if (options_.shows_unsure || shown || sure_enough(first.parts, options_.calibration.get())) return ranked;
  ranked.items.clear();
  ranked.reason = "unsure";
  return ranked;
}

void Pipeline::store(const Pending& pending, const Ranked& ranked) {
  const std::lock_guard lock(mutex_);
  cache_.store(moment_of(pending.request, pending.place), {ranked.items, ranked.reason});
}

CompletionResult Pipeline::result_of(Ranked ranked, CompletionTimings timings, TimePoint begun) const {
  CompletionResult result = nothing(ranked.reason, timings, begun);
  result.items = std::move(ranked.items);
  result.candidates = std::move(ranked.traces);
  return result;
}

CompletionResult Pipeline::nothing(std::string_view reason, CompletionTimings timings, TimePoint begun) const {
  CompletionResult result;
  result.reason = reason;
  result.timings = timings;
  result.timings.total_ms = milliseconds_between(begun, clock_->now());
  result.model = model_;
  return result;
}

}  // namespace weft::generation
