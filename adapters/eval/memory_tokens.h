// What a model and a memory each say about the next tokens of held-out lines, the line's own tokens before them given:
// what the weights of the mixture are fitted to and measured on. The prompts are the editor's, with the text behind the
// line; what the cursor's line already has of a token is required of the next one, as it is there.
// The thread that owns the runner.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "adapters/eval/eval_files.h"
#include "generation/completion/prompt.h"
#include "generation/memory/token_memory.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::adapters {

// One token of a line that is there, and what was said before it.
struct MemoryToken {
  TokenId next;
  double model = 0;             // the model's probability of `next`
  TokenId best;                 // the model's likeliest
  double best_probability = 0;  // of the model
  std::vector<generation::Evidence> evidence;
  std::vector<std::vector<double>> of_model;  // its probability of each of the evidence's continuations
  std::vector<TokenId> draft;                 // what the memory alone goes on with
};

struct MemoryLine {
  std::vector<MemoryToken> tokens;
};

struct MemoryTokensOptions {
  std::size_t places_per_file = 16;
  std::size_t draft_tokens = 8;
  std::uint64_t seed = 1;
  generation::PromptBudget prompt;
};

struct MemorySubject {
  const model::ModelConfig& config;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  model::ModelRunner& runner;
};

// Lines of the files, which are one project: what the memory knows of each are its text around the line and the other
// files. Errors: a failing runner.
Expected<std::vector<MemoryLine>> read_memory_lines(std::span<const EvalFile> project,
                                                    const MemoryTokensOptions& options, const MemorySubject& subject,
                                                    const std::function<void(double fraction)>& progress);

}  // namespace weft::adapters
