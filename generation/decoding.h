// Decoding: one request on its way from prompt to result. It knows its lines (one, or several in a beam search, all of
// one length) and how many of their tokens the runner holds; it knows neither the runner nor other requests. Engine
// thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generation/beam_search.h"
#include "generation/drafter.h"
#include "generation/inbox.h"
#include "generation/line.h"
#include "generation/prefix_cache.h"
#include "generation/scheduler.h"
#include "generation/spelling.h"

namespace weft::generation {

// What all requests of an engine share.
struct DecodingTools {
  const model::Tokenizer& tokenizer;
  const model::PrefixTrie& prefix_trie;  // the tokenizer's
  NewSequence new_sequence;
  DraftRecord drafts{};
  StepCosts costs{};
};

class Decoding {
 public:
  Decoding(Submission submission, const model::RunnerInfo& model);

  [[nodiscard]] RequestId id() const { return submission_.id; }
  [[nodiscard]] const GenerationRequest& request() const { return submission_.request; }
  // What its lines begin with, for which held KV is of use.
  [[nodiscard]] std::vector<TokenId> beginning() const;

  // It has sequences in the runner, or forks that wait for the next step to make them.
  [[nodiscard]] bool running() const { return running_; }
  // `held` begins with some of `beginning()`. The prompt's last token is computed in any case: its logits are wanted.
  void start(PrefixCache::Match held, const NewSequence& new_sequence, TimePoint now);
  // What the runner holds of it, to be kept or let go; afterwards it does not run, and may be started again.
  struct Sequences {
    std::vector<TokenId> tokens;  // those of the first, without a fork that still waits
    std::optional<SequenceId> first;
    std::vector<SequenceId> others;
  };
  [[nodiscard]] Sequences suspend();

  // As it waits for a step, running or not.
  [[nodiscard]] Schedulable schedulable() const;
  // Adds what computes the first `tokens` of those pending to the plan, and guesses of what follows them if it may.
  // Returns the rows of logits that will come of it.
  struct Drafting {
    bool allowed = false;
    DecodingTools& tools;
  };
  std::size_t add_to(model::StepPlan& plan, std::size_t tokens, const Drafting& drafting);
  void count_computed(std::size_t tokens, TimePoint now);

  // What follows from the logits of that step, [rows; V], or from a computed prompt when no token is wanted (`rows`
  // empty). They may be written to. Nothing: go on. Calls on_text.
  [[nodiscard]] std::optional<FinishReason> advance(std::span<float> rows, DecodingTools& tools, TimePoint now);

  // The end, each once.
  [[nodiscard]] EventSink take_sink() { return std::move(submission_.sink); }
  [[nodiscard]] GenerationResult take_result(FinishReason reason, std::string error, TimePoint now);

  // A step that it had a part of has failed for want of memory before.
  [[nodiscard]] bool tried_again() const { return tried_again_; }
  void note_try() { tried_again_ = true; }
  [[nodiscard]] std::size_t held_tokens() const { return running_ ? computed_ * lines_.size() : 0; }
  [[nodiscard]] SequenceId first_sequence() const { return lines_.front().sequence; }
  [[nodiscard]] bool has_prompt() const { return generated() > 0 || computed_ >= request().prompt.size(); }
  // The runner holds the prompt, and nobody else has been given it yet: true once.
  [[nodiscard]] bool prompt_is_new();

 private:
  [[nodiscard]] std::size_t generated() const { return lines_.front().tokens.size(); }
  [[nodiscard]] std::size_t pending_of_line() const { return prompt_.size() + generated() - computed_; }
  [[nodiscard]] std::vector<TokenId> tokens_of(const Line& line, std::size_t begin, std::size_t end) const;
  [[nodiscard]] std::vector<TokenId> remembered_context(const Line& line) const;
  [[nodiscard]] bool stops(TokenId token) const;
  [[nodiscard]] bool spelling() const { return generated() == 0 && !request().opening.empty(); }
  [[nodiscard]] std::size_t most_guesses(std::size_t pending) const;
  [[nodiscard]] bool remembers() const { return request().memory != nullptr && request().memory_weights != nullptr; }
  void remember(std::span<float> row, const Line& line) const;
  [[nodiscard]] std::optional<FinishReason> advance_spelled(std::span<float> rows, DecodingTools& tools);
  void follow_spelling();
  std::optional<FinishReason> extend(Line& line, TokenId token, double logprob,
                                     const model::Tokenizer& tokenizer) const;
  std::optional<FinishReason> advance_one(std::span<const float> row, const model::Tokenizer& tokenizer);
  std::optional<FinishReason> advance_drafted(std::span<float> rows, DecodingTools& tools);
  std::optional<FinishReason> advance_beams(std::span<const float> rows, const DecodingTools& tools);
  void keep_finished(const Line& line, FinishReason reason, const Extension* stop = nullptr);
  [[nodiscard]] FinishReason no_logits();
  [[nodiscard]] FinishReason no_spelling();

  Submission submission_;
  std::size_t max_positions_;
  bool causal_;
  Spelling spelling_;            // of the request's opening
  std::vector<TokenId> prompt_;  // the request's, and what the spelling adds to it
  std::vector<Line> lines_;      // never empty
  std::size_t computed_ = 0;     // tokens of each line, from the prompt's first, that the runner holds
  std::vector<Guess> guesses_;   // in the step under way, behind the pending tokens
  bool running_ = false, tried_again_ = false, prompt_given_ = false;
  SequenceMoves moves_;  // for the next step
  PrefixCache::Pin pin_;
  Drafter drafter_;
  KeptHypotheses kept_;
  std::string error_;
  GenerationTimings counts_;
  std::optional<TimePoint> started_, prefilled_at_;
  TimePoint served_;
};

}  // namespace weft::generation
