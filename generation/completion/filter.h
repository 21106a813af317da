// From what the model wrote to what is worth showing: nothing that stands behind the cursor already, no bracket that
// closes somebody else's, no half lines, no blank ends. Pure.
#pragma once

#include <string>
#include <string_view>

#include "generation/completion/place.h"
#include "generation/completion/stop.h"
#include "generation/engine.h"

namespace weft::generation {

struct Filtered {
  std::string text;         // with the document's line ends
  std::string_view reason;  // why nothing is left; empty when something is
};

[[nodiscard]] Filtered filter_text(std::string_view generated, const CursorPlace& place, const StopRules& rules,
                                   FinishReason finish);

// ERROR nodes that the text adds around the cursor: zero or less means that it fits there. Zero where nobody can tell.
[[nodiscard]] int syntax_errors_added(const CursorPlace& place, std::string_view text);

}  // namespace weft::generation
