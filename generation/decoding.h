// Decoding: one request on its way from prompt to result. It knows its tokens and how many of them the runner holds; it
// knows neither the runner nor other requests. Engine thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generation/inbox.h"
#include "generation/session_cache.h"
#include "generation/token_text.h"

namespace weft::generation {

class Decoding {
 public:
  Decoding(Submission submission, std::size_t max_positions);

  [[nodiscard]] RequestId id() const { return submission_.id; }
  [[nodiscard]] const GenerationRequest& request() const { return submission_.request; }
  [[nodiscard]] bool started() const { return started_.has_value(); }

  // `held` may be another prompt's sequence: what agrees is reused, but never the prompt's last token, whose logits are
  // wanted.
  void start(const HeldSequence& held, TimePoint now);

  // Between `start` and the end: what the runner has to compute before it can go on. At least one token.
  [[nodiscard]] std::size_t pending_tokens() const { return tokens_.size() - computed_; }
  [[nodiscard]] model::StepSequence next_part(std::size_t tokens) const;
  void count_computed(std::size_t tokens);

  // What follows from logits [V] of the last token, or from a computed prompt when no token is wanted (`logits` empty).
  // Nothing: go on. Calls on_text.
  [[nodiscard]] std::optional<FinishReason> advance(std::span<const float> logits, const model::Tokenizer& tokenizer,
                                                    TimePoint now);

  // The end, each once.
  [[nodiscard]] std::optional<HeldSequence> take_sequence();  // nothing when never started
  [[nodiscard]] EventSink take_sink() { return std::move(submission_.sink); }
  [[nodiscard]] GenerationResult take_result(FinishReason reason, std::string error, TimePoint now);

 private:
  [[nodiscard]] std::size_t generated() const { return tokens_.size() - request().prompt.size(); }
  [[nodiscard]] std::optional<FinishReason> show(std::string_view bytes);

  Submission submission_;
  std::size_t max_positions_;
  SequenceId sequence_;
  std::vector<TokenId> tokens_;  // the prompt and what was generated
  std::size_t computed_ = 0;     // of them, from the front, in the runner
  std::size_t prefilled_ = 0;
  TokenText text_;
  double logprob_sum_ = 0;
  std::string error_;
  std::optional<TimePoint> started_, prefilled_at_;
};

}  // namespace weft::generation
