// What of a suggestion stands word for word in the Python environment. Site-packages carry any licence: a long run is
// not offered where a package that has it does not allow it. Pure; some ten microseconds a token.
//
// Of what is not in memory nothing is found. What the environment gave a request was in memory when it gave it, a
// moment before.
#pragma once

#include <optional>
#include <string_view>

#include "generation/completion/completion.h"
#include "generation/memory/environment_index.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::generation {

constexpr std::size_t kCopiedTokens = 30;  // so many on end are a copy
constexpr std::size_t kNamedTokens = 8;    // shorter parts stand everywhere

struct Copies {
  std::optional<RememberedSource> longest;    // of kNamedTokens or more; no more than kEnvironmentMatch are counted
  std::optional<RememberedSource> forbidden;  // a copy, and a file that has it under no permissive licence
};
[[nodiscard]] Copies find_copies(std::string_view text, const EnvironmentIndex& environment,
                                 const model::Tokenizer& tokenizer);

}  // namespace weft::generation
