// Line: what has been generated after a prompt, in one of the ways that a request follows. Engine thread only.
#pragma once

#include <vector>

#include "generation/token_text.h"
#include "model/base/strong_id.h"

namespace weft::generation {

struct Line {
  SequenceId sequence;  // in the runner; its owner is the request
  std::vector<TokenId> tokens;
  std::vector<double> logprobs;  // of each token, natural log
  double logprob_sum = 0;
  TokenText text;

  void append(TokenId token, double logprob) {
    tokens.push_back(token);
    logprobs.push_back(logprob);
    logprob_sum += logprob;
  }
};

}  // namespace weft::generation
