// From generations to items: filtered, gated by the syntax at their place, without what may not be copied and without
// doubles, best first.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/place.h"
#include "generation/completion/stop.h"
#include "generation/syntax/gate.h"

namespace weft::generation {

struct RankContext {
  const CursorPlace& place;
  const StopRules& rules;
  const model::Tokenizer& tokenizer;
  std::string_view opening{};                     // the requests'
  SyntaxGate* gate = nullptr;                     // of the place; null: nobody can tell what fits
  const Calibration* calibration = nullptr;       // the model's; null: nobody can tell how sure it is
  const EnvironmentIndex* environment = nullptr;  // that was remembered; null: none
};

struct Ranked {
  std::vector<CompletionItem> items;
  std::string reason;                  // why there is none; empty when there is one
  std::vector<CandidateTrace> traces;  // one a generation or hypothesis, in the order given
};

// Failed generations are left out. Each hypothesis of a beam search is a candidate. Order: by score, then as given.
[[nodiscard]] Ranked rank_candidates(std::span<const GenerationResult> results, const RankContext& context);

}  // namespace weft::generation
