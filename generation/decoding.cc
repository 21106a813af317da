#include "generation/decoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace weft::generation {

Decoding::Decoding(Submission submission, std::size_t max_positions)
    : submission_(std::move(submission)), max_positions_(max_positions), tokens_(submission_.request.prompt) {}

void Decoding::start(const HeldSequence& held, TimePoint now) {
  WEFT_CHECK(!started());
  sequence_ = held.id;
  computed_ = std::min(common_prefix(held.tokens, tokens_), tokens_.size() - 1);
  started_ = now;
}

model::StepSequence Decoding::next_part(std::size_t tokens) const {
  WEFT_CHECK(started() && tokens > 0 && tokens <= pending_tokens());
  const auto begin = tokens_.begin() + static_cast<std::ptrdiff_t>(computed_);
  return {.sequence = sequence_,
          .start = Position(static_cast<std::int32_t>(computed_)),
          .tokens = {begin, begin + static_cast<std::ptrdiff_t>(tokens)},
          .wants_logits = tokens == pending_tokens() && request().max_new_tokens > 0};
}

void Decoding::count_computed(std::size_t tokens) {
  if (generated() == 0) prefilled_ += tokens;
  computed_ += tokens;
}

std::optional<FinishReason> Decoding::advance(std::span<const float> logits, const model::Tokenizer& tokenizer,
                                              TimePoint now) {
  if (pending_tokens() > 0) return std::nullopt;  // the prompt's next chunk
  if (!prefilled_at_) prefilled_at_ = now;
  if (request().max_new_tokens == 0) return FinishReason::kLength;
  const Sampled next = sample(logits, request().sampling, generated());
  if (!std::isfinite(next.logprob)) {
    error_ = fmt::format("the model gave no finite logits after {} tokens", tokens_.size());
    return FinishReason::kFailed;
  }
  if (std::ranges::find(request().stop_tokens, next.token) != request().stop_tokens.end()) {
    return FinishReason::kStopToken;
  }
  tokens_.push_back(next.token);
  logprob_sum_ += next.logprob;
  if (const auto reason = show(tokenizer.bytes(next.token))) return reason;
  // The last token of all needs no place in the model.
  const bool full = tokens_.size() > max_positions_;
  return full || generated() >= request().max_new_tokens ? std::optional(FinishReason::kLength) : std::nullopt;
}

std::optional<FinishReason> Decoding::show(std::string_view bytes) {
  if (!text_.append(bytes)) return std::nullopt;
  if (request().stop) {
    if (const auto keep = request().stop->check(text_.shown())) {
      text_.cut(*keep);
      return FinishReason::kStopCondition;
    }
  }
  if (submission_.sink.on_text) submission_.sink.on_text(id(), text_.shown());
  return std::nullopt;
}

std::optional<HeldSequence> Decoding::take_sequence() {
  if (!started()) return std::nullopt;
  return HeldSequence{sequence_, {tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(computed_)}};
}

GenerationResult Decoding::take_result(FinishReason reason, std::string error, TimePoint now) {
  GenerationResult result;
  result.id = id();
  result.reason = reason;
  result.error = error.empty() ? error_ : std::move(error);
  result.text = text_.shown();
  result.tokens.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(request().prompt.size()), tokens_.end());
  if (generated() > 0) result.mean_logprob = logprob_sum_ / static_cast<double>(generated());
  const TimePoint started = started_.value_or(now);
  const TimePoint prefilled = prefilled_at_.value_or(now);
  result.timings = {.queue_ms = milliseconds_between(submission_.submitted, started),
                    .prefill_ms = milliseconds_between(started, prefilled),
                    .decode_ms = milliseconds_between(prefilled, now),
                    .prompt_tokens = request().prompt.size(),
                    .prefilled_tokens = prefilled_,
                    .generated_tokens = generated()};
  return result;
}

}  // namespace weft::generation
