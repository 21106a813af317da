// How sure the model was of what it wrote, as far as it is offered. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "generation/completion/completion.h"
#include "generation/engine.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct Confidence {
  double mean_logprob = 0;  // of a token, natural
  std::size_t tokens = 0;
  LineLikelihood first_line{}, further_lines{};
};

// Of the tokens that begin in the first `kept_bytes` of the result's text; where that is the whole first line, the
// token that ends it counts to it. `opening` is the request's: the first token may have begun in it. Without a token's
// log-probabilities (beam search gives the best line's alone) the result's mean stands for all, and nothing is known of
// the lines.
[[nodiscard]] Confidence confidence_of(const GenerationResult& result, std::size_t kept_bytes, std::string_view opening,
                                       const model::Tokenizer& tokenizer);

}  // namespace weft::generation
