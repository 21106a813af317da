// Drafter: which tokens a request is likely to go on with, so that one step can verify several (Leviathan et al. 2023,
// with texts in the place of a draft model: Saxena 2023, prompt lookup; Oliaro et al. 2024, SuffixDecoding). Guesses
// come from what followed the longest repetition, in the request's memory or, without one, in its own tokens. How many
// are worth their rows is weighed anew each time: by how often guesses of such a match came true, and by what a step
// with more rows costs. Engine thread only; pure.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generation/memory/suffix_index.h"
#include "generation/memory/token_memory.h"

namespace weft::generation {

// Rows of one step of one sequence: up to so many the kernels give each row the bits that it has alone.
constexpr std::size_t kMostRows = 8;

// What steps cost, as measured.
class StepCosts {
 public:
  void note_decoding(std::size_t rows, double ms);  // a step of one sequence that decodes
  void note_prompt(std::size_t tokens, double ms);  // a step that is mostly prompt
  // Of a decoding step with `rows`, in steps of one row; 1 where nothing is known.
  [[nodiscard]] double relative(std::size_t rows) const;
  [[nodiscard]] std::optional<double> prompt_token_ms() const { return prompt_token_ms_; }

 private:
  std::array<std::optional<double>, kMostRows + 1> decoding_ms_{};  // running means, by rows
  std::optional<double> prompt_token_ms_;                           // another
};

// How often guesses come true, by the length of the match that they rest on. Of all requests of an engine.
class DraftRecord {
 public:
  void note(std::size_t match_length, bool accepted);
  // A guess was not worth a try: what is known of such ones ages, so that they are tried again some day.
  void age(std::size_t match_length);
  [[nodiscard]] double chance(std::size_t match_length) const;

 private:
  static constexpr std::size_t kLengths = 5;  // 1, 2-3, 4-7, 8-15, more
  [[nodiscard]] static std::size_t bucket(std::size_t match_length);
  // Before anything was seen: what was measured on lines of code outside of any corpus.
  static constexpr std::array<double, kLengths> kPriors{0.3, 0.45, 0.6, 0.8, 0.9};
  std::array<double, kLengths> chances_ = kPriors;
};

struct Guess {
  TokenId token;
  std::size_t match_length = 0;      // of what it rests on
  std::vector<Evidence> evidence{};  // what the memory said in its place
};

class Drafter {
 public:
  // `memory` may be null.
  explicit Drafter(std::shared_ptr<const TokenMemory> memory) : memory_(std::move(memory)) {}

  // context: all tokens before the guesses; it begins with that of the call before, or the call before is forgotten.
  [[nodiscard]] std::vector<Guess> draft(std::span<const TokenId> context, std::size_t most, DraftRecord& record,
                                         const StepCosts& costs);

 private:
  void follow(std::span<const TokenId> context);
  [[nodiscard]] Guess guess(std::span<const TokenId> context) const;  // match_length 0: there is none

  std::shared_ptr<const TokenMemory> memory_;
  SuffixIndex own_;               // without a memory
  std::vector<TokenId> indexed_;  // the tokens in it
};

}  // namespace weft::generation
