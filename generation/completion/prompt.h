// From a document and a cursor to the tokens that the model sees. The prefix keeps its end and the suffix its
// beginning. What changes least comes first, as far as the family's order lets it: the repository, other files, the
// suffix, the prefix, and last what is being typed. The window starts at a line whose number is a multiple of a big
// step, and so do the lines that stand behind the middle token where the family stands that, so that typing does not
// move them at each key and the KV of everything before stays valid. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/fim_prompt.h"
#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/tokenizer/prefix_trie.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

struct PromptBudget {
  std::size_t total_tokens = 448;
  std::size_t suffix_tokens = 128;  // of the total
};

struct PromptSource {
  std::string_view path;
  std::string_view before, after;  // the document's text around the cursor
  // Told of in families that can; screened already, and not part of the budget.
  std::span<const FimFile> context{};
  std::string_view repository{}, told_path{};
};

struct PromptModel {
  const model::ModelConfig& config;
  const model::Tokenizer& tokenizer;
  const model::PrefixTrie& prefix_trie;  // the tokenizer's
};

struct Prompt {
  std::vector<TokenId> tokens;
  std::string opening;  // the end of the text before the cursor that is not in them, for GenerationRequest::opening
};

// In the family's layout; with LF line ends whatever the document has. The screen is not empty. Errors: a FIM control
// token that the tokenizer does not have; the screen's own, when it blocks the file.
Expected<Prompt> build_prompt(const PromptSource& source, const PromptBudget& budget, const PromptModel& model,
                              const Screen& screen);

// What must end a generation: config.eos, and every FIM control token that the tokenizer knows.
std::vector<TokenId> stop_tokens(const model::ModelConfig& config, const model::Tokenizer& tokenizer);

}  // namespace weft::generation
