// What a model and a memory each say about the next tokens of held-out lines, the line's own tokens before them given:
// what the weights of the mixture are fitted to and measured on. The prompts are the editor's, with the text behind the
// line; what the cursor's line already has of a token is required of the next one, as it is there.
// The thread that owns the runner.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapters/eval/eval_files.h"
#include "generation/completion/prompt.h"
#include "generation/memory/environment_index.h"
#include "generation/memory/mixture.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::adapters {

// One token of a line that is there, and what was said before it.
struct MemoryToken {
  TokenId next;
  TokenId best;                 // the model's likeliest
  double model = 0;             // the model's probability of `next`
  double best_probability = 0;  // and of `best`
  std::vector<generation::Opinion> opinions;
  std::vector<std::vector<double>> of_model;  // its probability of each opinion's continuations
  std::size_t match_length = 0;               // of the longest match; 0: there is none
  TokenId remembered;                         // its first continuation
  std::vector<TokenId> draft;                 // what the memory alone goes on with
};

using MemoryLine = std::vector<MemoryToken>;

struct MemoryTokensOptions {
  std::size_t files_per_project = 40;  // whose lines are read; the memory knows all
  std::size_t lines_per_file = 12;
  std::size_t draft_tokens = 8;
  std::uint64_t seed = 1;
  generation::PromptBudget prompt;
  std::shared_ptr<const generation::EnvironmentIndex> environment;  // beside file and project; may be null
};

// The same lines twice: as they are with all that is remembered, and without the environment.
struct MemoryLines {
  std::vector<MemoryLine> all, without_environment;
};

struct MemorySubject {
  const model::ModelConfig& config;
  std::shared_ptr<const model::Tokenizer> tokenizer;
  model::ModelRunner& runner;
};

// The folders in a directory are projects, and the files beside them are one; secret and large files are left out.
// Errors: read_eval_files's.
Expected<std::vector<std::vector<EvalFile>>> read_projects(const std::string& directory);

// What must not be in the environment of these projects, or each of their lines would be found: their names and those
// that their files are imported by.
[[nodiscard]] std::set<std::string> names_of_projects(const std::string& directory,
                                                      std::span<const std::vector<EvalFile>> projects);

// Lines of a project's files. What the memory knows of each are the file's text around it, the other files, and the
// environment. Errors: a failing runner.
Expected<MemoryLines> read_memory_lines(std::span<const EvalFile> project, const MemoryTokensOptions& options,
                                        const MemorySubject& subject,
                                        const std::function<void(double fraction)>& progress);

}  // namespace weft::adapters
