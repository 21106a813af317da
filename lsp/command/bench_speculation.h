// What guessing gives: real code, written with and without guesses in turns.
#pragma once

#include <cstddef>

#include <nlohmann/json.hpp>

#include "lsp/command/model_stack.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::lsp {

// The documents of the shipped traces, at places in them. "fresh": what comes next there, which the document does not
// have; "edit": what stands behind the cursor, once more with a name changed, as who copies and adapts it writes.
// "forced": the tokens are the file's, whatever the model would rather say; "live": they are the model's own. Of each
// how many times as fast the tokens come with guesses as without. Errors: no traces, a failing engine.
Expected<nlohmann::json> measure_speculation(const ModelStack& stack, std::size_t rounds, const CancelFlag& cancel);

}  // namespace weft::lsp
