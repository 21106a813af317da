// How well a model knows the next token of a text, read left to right with no context before it. The runner gives
// logits of a step's last token only, so each token costs a step. The thread that owns the runner.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/base/expected.h"
#include "model/runner.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::adapters {

struct TokenScores {
  std::size_t tokens = 0, bytes = 0;  // scored; a window's first token is not
  std::size_t right = 0;              // the likeliest token was the next one
  double bits = 0;                    // of all scored tokens together
};

class TokenScorer {
 public:
  TokenScorer(model::ModelRunner& runner, const model::Tokenizer& tokenizer)
      : runner_(&runner), tokenizer_(&tokenizer) {}

  // Scores the text's first tokens, no more than the window and the model's positions allow.
  Expected<void> add(std::string_view text, std::size_t window_tokens);
  // What has been scored; frees the runner's sequence.
  Expected<TokenScores> finish();

 private:
  model::ModelRunner* runner_;
  const model::Tokenizer* tokenizer_;
  TokenScores scores_;
};

}  // namespace weft::adapters
