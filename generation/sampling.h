// Choosing the next token from logits. Pure. Random numbers are counter-based (Philox-like hash of seed and step), so a
// sequence's draws depend on nothing but its own seed and position.
#pragma once

#include <cstdint>
#include <span>

#include "model/base/logits.h"
#include "model/base/strong_id.h"

namespace weft::generation {

struct SamplingOptions {
  double temperature = 0;  // 0: greedy
  int top_k = 0;           // 0: off
  double top_p = 1;        // 1: off
  double min_p = 0;        // 0: off
  std::uint64_t seed = 0;
};

struct Sampled {
  TokenId token;
  double logprob = 0;  // under the unmodified distribution, natural log
};

// logits: [V]. Ties go to the lower id. NaN logits are a bug of the runner and never win.
[[nodiscard]] Sampled sample(std::span<const float> logits, const SamplingOptions& options, std::uint64_t step);

}  // namespace weft::generation
