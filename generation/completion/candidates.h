// From generations to items: filtered, without doubles, best first. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/place.h"
#include "generation/completion/stop.h"

namespace weft::generation {

struct Ranked {
  std::vector<CompletionItem> items;
  std::string reason;  // why there is none; empty when there is one
};

// Failed generations are left out. Order: fewest syntax errors added, then highest mean log-probability, then as given.
[[nodiscard]] Ranked rank_candidates(std::span<const GenerationResult> results, const CursorPlace& place,
                                     const StopRules& rules);

}  // namespace weft::generation
