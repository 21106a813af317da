#include "generation/decoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "generation/memory/mixture.h"
#include "generation/sampling.h"

namespace weft::generation {
namespace {

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// The way in which the tokenizer itself writes an opening, without its last token: the likeliest spelling.
std::vector<Guess> usual_spelling(std::string_view opening, const model::Tokenizer& tokenizer) {
  std::vector<Guess> out;
  for (const TokenId token : tokenizer.encode(opening)) {
    const std::string_view bytes = tokenizer.bytes(token);
    if (bytes.empty() || bytes.size() >= opening.size() || !opening.starts_with(bytes)) break;
    opening.remove_prefix(bytes.size());
    out.push_back({token});
  }
  out.resize(std::min(out.size(), kMostRows - 1));
  return out;
}

}  // namespace

Decoding::Decoding(Submission submission, const model::RunnerInfo& model)
    : submission_(std::move(submission)),
      max_positions_(model.max_positions),
      causal_(model.causal),
      spelling_(request().opening, request().not_first),
      prompt_(request().prompt),
      lines_(1),
      drafter_(request().memory),
      kept_(request().beams, request().max_new_tokens),
      served_(submission_.submitted) {}

std::vector<TokenId> Decoding::tokens_of(const Line& line, std::size_t begin, std::size_t end) const {
  std::vector<TokenId> out;
  out.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i)
    out.push_back(i < prompt_.size() ? prompt_[i] : line.tokens[i - prompt_.size()]);
  return out;
}

std::vector<TokenId> Decoding::beginning() const {
  std::size_t shared = generated();
  for (const Line& line : lines_) shared = std::min(shared, common_prefix(lines_.front().tokens, line.tokens));
  return tokens_of(lines_.front(), 0, prompt_.size() + shared);
}

void Decoding::start(PrefixCache::Match held, const NewSequence& new_sequence, TimePoint now) {
  WEFT_CHECK(!running_);
  running_ = true;
  computed_ = std::min(held.length, prompt_.size() + generated() - 1);
  for (Line& line : lines_) {
    line.sequence = new_sequence();
    if (computed_ > 0) {
      moves_.forks.push_back({held.sequence, line.sequence, Position(static_cast<std::int32_t>(computed_))});
    }
  }
  pin_ = std::move(held.pin);
  if (!started_) counts_.cached_tokens = computed_;
  if (!started_) started_ = now;
}

Decoding::Sequences Decoding::suspend() {
  if (!running_) return {};
  Sequences out;
  // The first line is its parent's first child: its sequence is there even where forks still wait for their step.
  const auto waits = [&](const model::Fork& fork) { return fork.to == lines_.front().sequence; };
  if (std::ranges::none_of(moves_.forks, waits) && computed_ > 0) {
    out.first = lines_.front().sequence;
    // Behind an encoder only the same prompt begins alike.
    out.tokens = tokens_of(lines_.front(), 0, causal_ ? computed_ : std::min(computed_, request().prompt.size()));
  } else {
    out.others.push_back(lines_.front().sequence);
  }
  for (std::size_t i = 1; i < lines_.size(); ++i) out.others.push_back(lines_[i].sequence);
  out.others.insert(out.others.end(), moves_.released.begin(), moves_.released.end());
  moves_ = {};
  guesses_.clear();
  computed_ = 0;
  pin_ = {};
  running_ = false;
  return out;
}

Schedulable Decoding::schedulable() const {
  return {.id = id(),
          .request_class = request().request_class,
          .pending_tokens = pending_of_line() * lines_.size(),
          .least_tokens = lines_.size(),
          .decodes = running_ && generated() > 0 && pending_of_line() == 1,
          .served = 0,
          .deadline = request().deadline,
          .waits_since = served_};
}

// The last one's logits are those of the token after it, and what they say must still have a place.
std::size_t Decoding::most_guesses(std::size_t pending) const {
  if (!request().speculate || !causal_ || request().beams > 1 || pending >= kMostRows) return 0;
  const std::size_t left = request().max_new_tokens - std::min(request().max_new_tokens, generated() + 1);
  const std::size_t length = prompt_.size() + generated();
  return std::min({kMostRows - pending, left, max_positions_ - std::min(max_positions_, length)});
}

std::size_t Decoding::add_to(model::StepPlan& plan, std::size_t tokens, const Drafting& drafting) {
  WEFT_CHECK(running_ && tokens >= lines_.size() && tokens <= pending_of_line() * lines_.size());
  const std::size_t each = tokens / lines_.size();
  WEFT_CHECK(each * lines_.size() == tokens);
  plan.forks.insert(plan.forks.end(), moves_.forks.begin(), moves_.forks.end());
  plan.released.insert(plan.released.end(), moves_.released.begin(), moves_.released.end());
  moves_ = {};
  guesses_.clear();
  const bool wants_logits = each == pending_of_line() && request().max_new_tokens > 0;
  if (wants_logits && spelling()) {
    if (causal_ && spelling_.tokens().empty()) {
      guesses_ = usual_spelling(request().opening, drafting.tools.tokenizer);
      counts_.prefilled_tokens += guesses_.size();
    }
  } else if (wants_logits && drafting.allowed) {
    guesses_ = drafter_.draft(remembered_context(lines_.front()), most_guesses(each), drafting.tools.drafts,
                              drafting.tools.costs);
  }
  const std::size_t rows = wants_logits ? 1 + guesses_.size() : 0;  // of a line
  for (const Line& line : lines_) {
    plan.sequences.push_back({.sequence = line.sequence,
                              .start = Position(static_cast<std::int32_t>(computed_)),
                              .tokens = tokens_of(line, computed_, computed_ + each),
                              .logits = rows,
                              .adapter = request().adapter});
    for (const Guess& guess : guesses_) plan.sequences.back().tokens.push_back(guess.token);
  }
  return rows * lines_.size();
}

void Decoding::count_computed(std::size_t tokens, TimePoint now) {
  if (generated() == 0) counts_.prefilled_tokens += tokens;
  ++counts_.steps;
  computed_ += tokens / lines_.size();
  served_ = now;
}

bool Decoding::prompt_is_new() {
  if (!running_ || prompt_given_ || computed_ < request().prompt.size()) return false;
  return prompt_given_ = true;
}

std::optional<FinishReason> Decoding::advance(std::span<float> rows, DecodingTools& tools, TimePoint now) {
  if (pending_of_line() > 0) return std::nullopt;  // the prompt's next chunk
  std::optional<FinishReason> reason;
  if (rows.empty()) {
    reason = FinishReason::kLength;
  } else if (spelling()) {
    reason = advance_spelled(rows, tools);
  } else if (request().beams > 1 && generated() >= request().forced.size()) {
    const std::size_t vocabulary = rows.size() / lines_.size();
    for (std::size_t i = 0; remembers() && i < lines_.size(); ++i) {
      remember(rows.subspan(i * vocabulary, vocabulary), lines_[i]);
    }
    reason = advance_beams(rows, tools);
  } else {
    reason = advance_drafted(rows, tools);
  }
  if (!prefilled_at_ && (reason || generated() > 0)) prefilled_at_ = now;
  return reason;
}

// The rows are of the tokens computed and of the usual spelling behind them: as long as the search keeps to that, it
// needs no other.
std::optional<FinishReason> Decoding::advance_spelled(std::span<float> rows, DecodingTools& tools) {
  const std::size_t vocabulary = rows.size() / (1 + guesses_.size());
  const std::size_t read_before = spelling_.tokens().size();
  std::vector<TokenId> held = prompt_;  // by the runner
  for (const Guess& guess : guesses_) held.push_back(guess.token);
  for (;;) {
    const std::vector<TokenId> tried = spelling_.tokens();
    const auto row = rows.subspan((tried.size() - read_before) * vocabulary, vocabulary);
    const bool chosen = spelling_.read(row, tools.tokenizer, tools.prefix_trie);
    if (spelling_.impossible()) return no_spelling();
    follow_spelling();
    const std::size_t common = common_prefix(held, prompt_);
    if (chosen) {
      computed_ = common;
      if (remembers()) remember(row, lines_.front());
      std::vector<float> endings = spelling_.endings(row, tools.prefix_trie);
      forbid(endings, request().not_first, spelling_.rest().size(), tools.tokenizer);
      if (request().beams > 1) return advance_beams(endings, tools);
      return advance_one(endings, tools.tokenizer);
    }
    const bool has_row = common == prompt_.size() && spelling_.tokens().size() >= read_before;
    if (!has_row) {
      computed_ = std::min(common, prompt_.size() - 1);
      return std::nullopt;
    }
  }
}

bool Decoding::stops(TokenId token) const {
  return std::ranges::find(request().stop_tokens, token) != request().stop_tokens.end();
}

FinishReason Decoding::no_logits() {
  error_ = fmt::format("the model gave no finite logits after {} tokens", prompt_.size() + generated());
  return FinishReason::kFailed;
}

FinishReason Decoding::no_spelling() {
  error_ = fmt::format("no tokens of the vocabulary spell the opening '{}'", request().opening);
  return FinishReason::kFailed;
}

void Decoding::follow_spelling() {
  prompt_ = request().prompt;
  prompt_.insert(prompt_.end(), spelling_.tokens().begin(), spelling_.tokens().end());
}

// One more token, and why the line ends with it if it does.
std::optional<FinishReason> Decoding::extend(Line& line, TokenId token, double logprob,
                                             const model::Tokenizer& tokenizer) const {
  line.append(token, logprob);
  std::string_view bytes = tokenizer.bytes(token);
  if (line.tokens.size() == 1) bytes.remove_prefix(spelling_.rest().size());
  const bool grew = line.text.append(bytes);
  if (grew && request().stop && line.tokens.size() > request().forced.size()) {
    if (const auto keep = request().stop->check(line.text.shown())) {
      line.text.cut(*keep);
      return FinishReason::kStopCondition;
    }
  }
  // The last token of all needs no place in the model.
  const bool full = prompt_.size() + line.tokens.size() > max_positions_;
  return full || line.tokens.size() >= request().max_new_tokens ? std::optional(FinishReason::kLength) : std::nullopt;
}

std::optional<FinishReason> Decoding::advance_one(std::span<const float> row, const model::Tokenizer& tokenizer) {
  Line& line = lines_.front();
  const bool forced = generated() < request().forced.size();
  Sampled next;
  if (forced) {
    const double normaliser = log_sum_exp(row);
    if (!std::isfinite(normaliser)) return no_logits();
    next.token = request().forced[generated()];
    next.logprob = row[static_cast<std::size_t>(next.token.value())] - normaliser;
  } else {
    next = sample(row, request().sampling, generated());
    if (!std::isfinite(next.logprob)) return no_logits();
    if (stops(next.token)) return FinishReason::kStopToken;
  }
  const std::size_t shown = line.text.shown().size();
  const auto reason = extend(line, next.token, next.logprob, tokenizer);
  const bool shows = request().beams == 1 && reason != FinishReason::kStopCondition && submission_.sink.on_text;
  if (shows && line.text.shown().size() > shown) {
    submission_.sink.on_text({id(), line.text.shown(), line.tokens, line.logprobs});
  }
  return reason;
}

std::vector<TokenId> Decoding::remembered_context(const Line& line) const {
  const std::size_t length = prompt_.size() + line.tokens.size();
  if (request().memory == nullptr || request().memory_context.empty()) return tokens_of(line, 0, length);
  std::vector<TokenId> out = request().memory_context;
  const std::vector<TokenId> behind = tokens_of(line, request().prompt.size(), length);
  out.insert(out.end(), behind.begin(), behind.end());
  return out;
}

// What the memory says of the token after the line becomes part of the row.
void Decoding::remember(std::span<float> row, const Line& line) const {
  mix_in(row, request().memory->look_up(remembered_context(line)), *request().memory_weights);
}

// Row by row: each says its token whatever was guessed, so that what comes out is as without guesses; a guess that it
// says has been computed already.
std::optional<FinishReason> Decoding::advance_drafted(std::span<float> rows, DecodingTools& tools) {
  const std::size_t vocabulary = rows.size() / (1 + guesses_.size());
  counts_.drafted_tokens += guesses_.size();
  for (std::size_t i = 0;; ++i) {
    const auto row = rows.subspan(i * vocabulary, vocabulary);
    if (lines_.front().text.shown().empty()) forbid(row, request().not_first, 0, tools.tokenizer);
    if (remembers() && i < guesses_.size()) {
      mix_in(row, guesses_[i].evidence, *request().memory_weights);
    } else if (remembers()) {
      remember(row, lines_.front());
    }
    if (const auto reason = advance_one(row, tools.tokenizer)) return reason;
    if (i == guesses_.size()) return std::nullopt;
    const bool accepted = guesses_[i].token == lines_.front().tokens.back();
    tools.drafts.note(guesses_[i].match_length, accepted);
    if (!accepted) return std::nullopt;
    ++counts_.accepted_tokens;
    ++computed_;
  }
}

std::optional<FinishReason> Decoding::advance_beams(std::span<const float> rows, const DecodingTools& tools) {
  const std::vector<Extension> extensions = best_extensions(lines_, rows, request().beams);
  if (extensions.empty()) return no_logits();
  std::vector<Line> open;
  std::vector<std::size_t> parents;
  for (const Extension& extension : extensions) {
    const Line& parent = lines_[extension.parent];
    if (stops(extension.token)) {
      keep_finished(parent, FinishReason::kStopToken, &extension);
      continue;
    }
    Line line = parent;
    if (const auto reason = extend(line, extension.token, extension.logprob, tools.tokenizer)) {
      keep_finished(line, *reason);
      continue;
    }
    open.push_back(std::move(line));
    parents.push_back(extension.parent);
  }
  if (open.empty() || kept_.decided(open.front().logprob_sum)) return kept_.best_first().front().hypothesis.reason;
  moves_ = assign_sequences(lines_, parents, Position(static_cast<std::int32_t>(computed_)), open, tools.new_sequence);
  lines_ = std::move(open);
  return std::nullopt;
}

// With `stop`, the token that ended it: it is no part of the line and yet has its share of the score.
void Decoding::keep_finished(const Line& line, FinishReason reason, const Extension* stop) {
  const double sum = stop == nullptr ? line.logprob_sum : stop->sum;
  const std::size_t length = line.tokens.size() + (stop == nullptr ? 0 : 1);
  kept_.add({{line.text.shown(), line.tokens, length_normalised(sum, length), reason}, line.logprobs});
}

GenerationResult Decoding::take_result(FinishReason reason, std::string error, TimePoint now) {
  GenerationResult result;
  result.id = id();
  result.reason = reason;
  result.error = error.empty() ? error_ : std::move(error);
  if (request().beams > 1) {
    for (const KeptHypotheses::Kept& kept : kept_.best_first()) result.hypotheses.push_back(kept.hypothesis);
  }
  if (!result.hypotheses.empty()) {
    result.text = result.hypotheses.front().text;
    result.tokens = result.hypotheses.front().tokens;
    result.logprobs = kept_.best_first().front().logprobs;
  } else if (request().beams == 1) {
    result.text = lines_.front().text.shown();
    result.tokens = lines_.front().tokens;
    result.logprobs = lines_.front().logprobs;
  }
  for (const double logprob : result.logprobs) {
    result.mean_logprob += logprob / static_cast<double>(result.logprobs.size());
  }
  const TimePoint started = started_.value_or(now);
  const TimePoint prefilled = prefilled_at_.value_or(now);
  result.timings = counts_;
  result.timings.queue_ms = milliseconds_between(submission_.submitted, started);
  result.timings.prefill_ms = milliseconds_between(started, prefilled);
  result.timings.decode_ms = milliseconds_between(prefilled, now);
  result.timings.prompt_tokens = prompt_.size();
  result.timings.generated_tokens = result.tokens.size();
  return result;
}

}  // namespace weft::generation
