// From what the model wrote to what is worth showing: nothing that stands behind the cursor already, no bracket that
// closes somebody else's, no half lines, no blank ends. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"
#include "generation/completion/place.h"
#include "generation/completion/stop.h"
#include "generation/engine.h"

namespace weft::generation {

struct Filtered {
  std::string text;               // with LF line ends
  std::string_view reason;        // why nothing is left; empty when something is
  std::vector<FilterStep> steps;  // the filters that took something away
};

[[nodiscard]] Filtered filter_text(std::string_view generated, const CursorPlace& place, const StopRules& rules,
                                   FinishReason finish);

// The text with the document's line ends.
[[nodiscard]] std::string with_line_ends(std::string_view text, const CursorPlace& place);

}  // namespace weft::generation
