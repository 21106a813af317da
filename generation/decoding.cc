#include "generation/decoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "generation/sampling.h"

namespace weft::generation {

Decoding::Decoding(Submission submission, std::size_t max_positions)
    : submission_(std::move(submission)),
      max_positions_(max_positions),
      spelling_(request().opening),
      prompt_(request().prompt),
      lines_(1),
      kept_(request().beams, request().max_new_tokens) {}

void Decoding::start(const HeldSequence& held, TimePoint now) {
  WEFT_CHECK(!started());
  lines_.front().sequence = held.id;
  computed_ = std::min(common_prefix(held.tokens, prompt_), prompt_.size() - 1);
  started_ = now;
}

std::vector<TokenId> Decoding::tokens_of(const Line& line, std::size_t begin, std::size_t end) const {
  std::vector<TokenId> out;
  out.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i)
    out.push_back(i < prompt_.size() ? prompt_[i] : line.tokens[i - prompt_.size()]);
  return out;
}

std::size_t Decoding::add_to(model::StepPlan& plan, std::size_t tokens) {
  WEFT_CHECK(started() && tokens >= least_tokens() && tokens <= pending_tokens());
  const std::size_t each = tokens / lines_.size();
  WEFT_CHECK(each * lines_.size() == tokens);
  plan.forks.insert(plan.forks.end(), moves_.forks.begin(), moves_.forks.end());
  plan.released.insert(plan.released.end(), moves_.released.begin(), moves_.released.end());
  moves_ = {};
  const bool wants_logits = each == pending_of_line() && request().max_new_tokens > 0;
  for (const Line& line : lines_) {
    plan.sequences.push_back({.sequence = line.sequence,
                              .start = Position(static_cast<std::int32_t>(computed_)),
                              .tokens = tokens_of(line, computed_, computed_ + each),
                              .wants_logits = wants_logits,
                              .adapter = request().adapter});
  }
  return wants_logits ? lines_.size() : 0;
}

void Decoding::count_computed(std::size_t tokens) {
  if (generated() == 0) prefilled_ += tokens;
  computed_ += tokens / lines_.size();
}

std::optional<FinishReason> Decoding::advance(std::span<const float> rows, const Vocabulary& vocabulary,
                                              const NewSequence& new_sequence, TimePoint now) {
  const auto& [tokenizer, prefix_trie] = vocabulary;
  if (pending_tokens() > 0) return std::nullopt;  // the prompt's next chunk
  std::vector<float> only_endings;
  if (generated() == 0 && !rows.empty() && !request().opening.empty()) {
    const bool chosen = spelling_.read(rows, tokenizer, prefix_trie);
    if (spelling_.impossible()) return no_spelling();
    follow_spelling();
    if (!chosen) return std::nullopt;
    only_endings = spelling_.endings(rows, prefix_trie);
    rows = only_endings;
  }
  if (!prefilled_at_) prefilled_at_ = now;
  if (request().max_new_tokens == 0) return FinishReason::kLength;
  const bool searching = request().beams > 1 && generated() >= request().forced.size();
  return searching ? advance_beams(rows, tokenizer, new_sequence) : advance_one(rows, tokenizer);
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

// Where the spelling tries other tokens than those computed, the sequence is cut back to what they share.
void Decoding::follow_spelling() {
  std::vector<TokenId> prompt = request().prompt;
  prompt.insert(prompt.end(), spelling_.tokens().begin(), spelling_.tokens().end());
  if (prompt == prompt_) return;
  computed_ = std::min(common_prefix(prompt_, prompt), prompt.size() - 1);
  prompt_ = std::move(prompt);
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
  Sampled next = sample(row, request().sampling, generated());
  if (!std::isfinite(next.logprob)) return no_logits();
  if (forced) {
    next.token = request().forced[generated()];
    next.logprob = row[static_cast<std::size_t>(next.token.value())] - log_sum_exp(row);
  } else if (stops(next.token)) {
    return FinishReason::kStopToken;
  }
  const std::size_t shown = line.text.shown().size();
  const auto reason = extend(line, next.token, next.logprob, tokenizer);
  const bool shows = request().beams == 1 && reason != FinishReason::kStopCondition && submission_.sink.on_text;
  if (shows && line.text.shown().size() > shown) submission_.sink.on_text(id(), line.text.shown());
  return reason;
}

std::optional<FinishReason> Decoding::advance_beams(std::span<const float> rows, const model::Tokenizer& tokenizer,
                                                    const NewSequence& new_sequence) {
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
    if (const auto reason = extend(line, extension.token, extension.logprob, tokenizer)) {
      keep_finished(line, *reason);
      continue;
    }
    open.push_back(std::move(line));
    parents.push_back(extension.parent);
  }
  if (open.empty() || kept_.decided(open.front().logprob_sum)) return kept_.best_first().front().hypothesis.reason;
  moves_ = assign_sequences(lines_, parents, Position(static_cast<std::int32_t>(computed_)), open, new_sequence);
  lines_ = std::move(open);
  return std::nullopt;
}

// With `stop`, the token that ended it: it is no part of the line and yet has its share of the score.
void Decoding::keep_finished(const Line& line, FinishReason reason, const Extension* stop) {
  const double sum = stop == nullptr ? line.logprob_sum : stop->sum;
  const std::size_t length = line.tokens.size() + (stop == nullptr ? 0 : 1);
  kept_.add({{line.text.shown(), line.tokens, length_normalised(sum, length), reason}, line.logprobs});
}

Decoding::Sequences Decoding::take_sequences() {
  if (!started()) return {};
  Sequences out;
  // The first line is its parent's first child: its sequence is there even where forks still wait for their step.
  out.first = HeldSequence{lines_.front().sequence, tokens_of(lines_.front(), 0, computed_)};
  for (std::size_t i = 1; i < lines_.size(); ++i) out.others.push_back(lines_[i].sequence);
  out.others.insert(out.others.end(), moves_.released.begin(), moves_.released.end());
  return out;
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
  result.timings = {.queue_ms = milliseconds_between(submission_.submitted, started),
                    .prefill_ms = milliseconds_between(started, prefilled),
                    .decode_ms = milliseconds_between(prefilled, now),
                    .prompt_tokens = prompt_.size(),
                    .prefilled_tokens = prefilled_,
                    .generated_tokens = result.tokens.size()};
  return result;
}

}  // namespace weft::generation
