// Beam search over lines of equal length: which extensions go on, in which sequences, and which finished lines are
// kept. Pure.
//
// At each step the `width` likeliest extensions of all open lines survive; those that end a line become hypotheses, the
// others are the open lines of the next step. A beam of one is greedy decoding. Hypotheses compare by the sum of their
// log-probabilities over length^0.7 (Wu et al. 2016, "Google's Neural Machine Translation System", simplified); the
// search is over when no open line can still beat the worst hypothesis kept, however long it grows.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generation/engine.h"
#include "generation/line.h"
#include "generation/prefix_cache.h"

namespace weft::generation {

constexpr std::size_t kMostBeams = 8;

struct Extension {
  std::size_t parent = 0;  // index of the line
  TokenId token;
  double logprob = 0;  // of the token
  double sum = 0;      // with all before it
};

// The best `count` of all (line, token), best first; ties go to the earlier line, then to the lower token. rows: logits
// of the lines, [lines; V]. Logits that are not finite are left out, so that fewer may come back.
[[nodiscard]] std::vector<Extension> best_extensions(std::span<const Line> lines, std::span<const float> rows,
                                                     std::size_t count);

// Gives the children their sequences: the first child of a line goes on in its sequence; each further one forks from it
// as it was; a line without children lets its sequence go. `length`: tokens of each parent that the runner holds.
[[nodiscard]] SequenceMoves assign_sequences(std::span<const Line> parents,
                                             std::span<const std::size_t> parent_of_child, Position length,
                                             std::span<Line> children, const NewSequence& new_sequence);

[[nodiscard]] double length_normalised(double logprob_sum, std::size_t length);
[[nodiscard]] double logprob_sum_of(double normalised, std::size_t length);  // the other way

// The `width` best hypotheses so far.
class KeptHypotheses {
 public:
  // `longest`: tokens that a line can have, the stop token included.
  KeptHypotheses(std::size_t width, std::size_t longest) : width_(width), longest_(longest) {}

  struct Kept {
    Hypothesis hypothesis;
    std::vector<double> logprobs;  // of its tokens
  };
  void add(Kept kept);
  // No line that is open with this sum can enter any more.
  [[nodiscard]] bool decided(double best_open_sum) const;
  [[nodiscard]] const std::vector<Kept>& best_first() const { return kept_; }

 private:
  std::size_t width_, longest_;
  std::vector<Kept> kept_;
};

}  // namespace weft::generation
