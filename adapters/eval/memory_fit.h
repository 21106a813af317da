// The weights of the mixture of a model and its memory, and how good the mixture is. Pure, deterministic.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "adapters/eval/memory_tokens.h"
#include "generation/memory/mixture.h"

namespace weft::adapters {

// The weights that make the lines likeliest, by expectation maximisation (Dempster et al. 1977), whose steps are exact
// for the weights of a mixture. A cell that few tokens fall in stays near its source's and match length's average.
[[nodiscard]] generation::MemoryWeights fit_memory_weights(std::span<const MemoryLine> lines);

struct NextTokenScore {
  std::size_t right = 0;  // the likeliest token was the next one
  double nats = 0;        // of all together
};
// The memory alone answers with the longest match's first continuation; for its nats what the weights leave to the
// model is spread evenly over the vocabulary.
struct MemoryScore {
  std::size_t tokens = 0;
  NextTokenScore model, memory, mixture;
};

// Of the tokens that a source says something of, how many it is right about.
struct SourceScore {
  std::size_t tokens = 0, right = 0;
};

struct MemoryReport {
  std::size_t lines = 0;
  MemoryScore all;
  std::array<SourceScore, generation::kMemorySources> by_source{};
  std::vector<MemoryScore> by_length;  // no match, then by kMatchLengths
  // Drafts that the memory alone makes and the mixture verifies, as greedy decoding of these lines would.
  std::size_t steps = 0;
  std::size_t drafted = 0, accepted = 0;  // tokens; those of drafts up to the line's end
};
[[nodiscard]] MemoryReport score_memory(std::span<const MemoryLine> lines, const generation::MemoryWeights& weights,
                                        std::size_t vocabulary);

// One object, indented; with the weights. without_environment: of the same lines and weights; null where the memory has
// no environment.
std::string to_json(const MemoryReport& report, const MemoryReport* without_environment,
                    const generation::MemoryWeights& weights, const std::string& model);

}  // namespace weft::adapters
