// What of a request no step could serve. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "generation/engine.h"

namespace weft::generation {

// Empty when there is nothing to say against it. `writable`: ids that the tokenizer has.
[[nodiscard]] std::string refusal_of(const GenerationRequest& request, const model::RunnerInfo& model,
                                     std::size_t writable);

}  // namespace weft::generation
