// What speaks for and against a candidate besides its probability, and the score that is made of it. Pure.
#pragma once

#include <string_view>

#include "generation/completion/completion.h"
#include "generation/completion/place.h"
#include "generation/completion/stop.h"

namespace weft::generation {

// The parts that the text and its place say: brackets, indentation, repetition and overlap. `text` has LF line ends.
[[nodiscard]] ScoreParts score_parts(std::string_view text, const CursorPlace& place, const StopRules& rules);

// Bytes of the text's beginning whose lines are no deeper than what is above them lets them be: all of it, or up to a
// line's end. For languages whose blocks are what indentation says; their grammars do not mind.
[[nodiscard]] std::size_t well_indented(std::string_view text, const CursorPlace& place, const StopRules& rules);

[[nodiscard]] double total_score(const ScoreParts& parts);

}  // namespace weft::generation
