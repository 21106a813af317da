// When a suggestion is long enough. Pure but for the condition that it makes, which is the engine thread's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "generation/completion/completion.h"
#include "generation/completion/place.h"
#include "generation/stop.h"
#include "generation/syntax/scanner.h"

namespace weft::generation {

enum class Extent {
  kLine,       // to the line's end: text follows the cursor on its line, or it stands in a comment or a string
  kStatement,  // to the end of the statement, whose brackets may span lines: an unfinished line
  kBlock,      // whole lines up to the end of the cursor's block or the first blank line between statements
};

struct StopRules {
  Extent extent = Extent::kLine;
  std::size_t max_lines = 12;
  BlockEdge edge;
};

[[nodiscard]] StopRules choose_stop_rules(const CursorPlace& place, Trigger trigger, std::size_t max_lines);
// Bytes of the text to keep; none while more is wanted.
[[nodiscard]] std::optional<std::size_t> enough(const StopRules& rules, std::string_view text);
[[nodiscard]] std::unique_ptr<StopCondition> make_stop(StopRules rules);

}  // namespace weft::generation
