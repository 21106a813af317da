// Decoding: one request on its way from prompt to result. It knows its lines (one, or several in a beam search, all of
// one length) and how many of their tokens the runner holds; it knows neither the runner nor other requests. Engine
// thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generation/beam_search.h"
#include "generation/inbox.h"
#include "generation/line.h"
#include "generation/session_cache.h"
#include "generation/spelling.h"

namespace weft::generation {

using NewSequence = std::function<SequenceId()>;

struct Vocabulary {
  const model::Tokenizer& tokenizer;
  const model::PrefixTrie& prefix_trie;  // the tokenizer's
};

class Decoding {
 public:
  Decoding(Submission submission, std::size_t max_positions);

  [[nodiscard]] RequestId id() const { return submission_.id; }
  [[nodiscard]] const GenerationRequest& request() const { return submission_.request; }
  [[nodiscard]] SessionKey session() const { return {request().session, request().adapter}; }
  [[nodiscard]] bool started() const { return started_.has_value(); }

  // `held` may be another prompt's sequence: what agrees is reused, but never the prompt's last token, whose logits are
  // wanted.
  void start(const HeldSequence& held, TimePoint now);

  // Between `start` and the end: what the runner has to compute before it can go on. At least one token, and of several
  // lines one each, which are not to be parted.
  [[nodiscard]] std::size_t pending_tokens() const { return pending_of_line() * lines_.size(); }
  [[nodiscard]] std::size_t least_tokens() const { return lines_.size(); }
  // Adds what computes the first `tokens` of them to the plan. Returns the rows of logits that will come of it.
  std::size_t add_to(model::StepPlan& plan, std::size_t tokens);
  void count_computed(std::size_t tokens);

  // What follows from the logits of the lines' last tokens, [rows; V], or from a computed prompt when no token is
  // wanted
  // (`rows` empty). Nothing: go on. Calls on_text.
  [[nodiscard]] std::optional<FinishReason> advance(std::span<const float> rows, const Vocabulary& vocabulary,
                                                    const NewSequence& new_sequence, TimePoint now);

  // The end, each once.
  struct Sequences {
    std::optional<HeldSequence> first;  // nothing when never started
    std::vector<SequenceId> others;
  };
  [[nodiscard]] Sequences take_sequences();
  [[nodiscard]] EventSink take_sink() { return std::move(submission_.sink); }
  [[nodiscard]] GenerationResult take_result(FinishReason reason, std::string error, TimePoint now);

 private:
  [[nodiscard]] std::size_t generated() const { return lines_.front().tokens.size(); }
  [[nodiscard]] std::size_t pending_of_line() const { return prompt_.size() + generated() - computed_; }
  [[nodiscard]] std::vector<TokenId> tokens_of(const Line& line, std::size_t begin, std::size_t end) const;
  [[nodiscard]] bool stops(TokenId token) const;
  void follow_spelling();
  std::optional<FinishReason> extend(Line& line, TokenId token, double logprob,
                                     const model::Tokenizer& tokenizer) const;
  std::optional<FinishReason> advance_one(std::span<const float> row, const model::Tokenizer& tokenizer);
  std::optional<FinishReason> advance_beams(std::span<const float> rows, const model::Tokenizer& tokenizer,
                                            const NewSequence& new_sequence);
  void keep_finished(const Line& line, FinishReason reason, const Extension* stop = nullptr);
  [[nodiscard]] FinishReason no_logits();
  [[nodiscard]] FinishReason no_spelling();

  Submission submission_;
  std::size_t max_positions_;
  Spelling spelling_;            // of the request's opening
  std::vector<TokenId> prompt_;  // the request's, and what the spelling adds to it
  std::vector<Line> lines_;      // never empty
  std::size_t computed_ = 0;     // tokens of each line, from the prompt's first, that the runner holds
  std::size_t prefilled_ = 0;
  SequenceMoves moves_;  // for the next step
  KeptHypotheses kept_;
  std::string error_;
  std::optional<TimePoint> started_, prefilled_at_;
};

}  // namespace weft::generation
