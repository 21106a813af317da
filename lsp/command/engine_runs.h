// EngineRuns: an engine of its own over a loaded model, given made-up requests whose tokens are forced, so that what is
// timed does not depend on what the model would rather say. Main thread only; sync mode.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "generation/engine.h"
#include "lsp/command/model_stack.h"
#include "model/lora.h"

namespace weft::lsp {

// The same each time: `count` ids that the tokenizer has, from the one numbered `from` on.
[[nodiscard]] std::vector<TokenId> made_up_tokens(const model::Tokenizer& tokenizer, std::size_t from,
                                                  std::size_t count);

// Of every linear of the model that takes one, with random numbers; `seed` tells them apart.
[[nodiscard]] model::LoraAdapter made_up_adapter(const model::ModelConfig& config, std::int64_t rank,
                                                 std::uint32_t seed);

class EngineRuns {
 public:
  // One at a time over the stack's runner; the stack's own engine is at rest meanwhile.
  EngineRuns(const ModelStack& stack, generation::EngineOptions options);

  // All at once, in their order. Error: one failed, or generated another number of tokens than it was asked for.
  Expected<std::vector<generation::GenerationResult>> run(std::vector<generation::GenerationRequest> requests);
  Expected<AdapterId> install(model::LoraAdapter adapter);

  // A prompt of `prompt_tokens` that begins at made-up token `from`, and behind it `new_tokens` forced ones.
  [[nodiscard]] generation::GenerationRequest request(std::size_t from, std::size_t prompt_tokens,
                                                      std::size_t new_tokens) const;

 private:
  std::shared_ptr<const model::Tokenizer> tokenizer_;
  generation::Engine engine_;
};

}  // namespace weft::lsp
