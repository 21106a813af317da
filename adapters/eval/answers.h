// Answers: what a model says to a prompt and how likely it finds a given answer, with an adapter or without, through
// the same engine that serves. The engine is in sync mode (threads = 0). The thread that polls it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "generation/engine.h"
#include "model/base/expected.h"

namespace weft::adapters {

class Answers {
 public:
  // Error of both: what the engine says. `engine` outlives it.
  explicit Answers(generation::Engine& engine) : engine_(&engine) {}

  // Sum over the answer's tokens, natural logarithm.
  Expected<double> log_probability(const std::vector<TokenId>& prompt, const std::vector<TokenId>& answer,
                                   AdapterId adapter);
  // Greedy, up to <|endoftext|> or so many tokens.
  Expected<std::string> best(const std::vector<TokenId>& prompt, std::size_t max_tokens, AdapterId adapter);

 private:
  Expected<generation::GenerationResult> run(generation::GenerationRequest request);
  generation::Engine* engine_;
};

}  // namespace weft::adapters
