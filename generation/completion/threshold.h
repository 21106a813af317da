// When a suggestion is sure enough to be shown to somebody who did not ask. Pure.
//
// The confidence is the probability that the first line of the suggestion is what would have been written, by a
// logistic regression on how likely the model found its tokens and on how many there are. Each model has a row of its
// own, since models differ in how sure they are of themselves; a model without a row shows what it has. Rows are fitted
// by cmake/fit_threshold.py to what `weft eval completion --details` prints of held-out files.
#pragma once

#include <optional>
#include <string_view>

#include "generation/completion/completion.h"

namespace weft::generation {

// None where the model is not calibrated, or nothing is known of the tokens.
[[nodiscard]] std::optional<double> confidence_in(const ScoreParts& parts, std::string_view model);

[[nodiscard]] bool sure_enough(const ScoreParts& parts, std::string_view model);

}  // namespace weft::generation
