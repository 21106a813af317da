// FunctionEnd: a generation of one function is over where the next statement of its own level begins. It keeps no state
// between calls, so that one object serves every line of a beam search. Engine thread only.
#pragma once

#include <memory>

#include "generation/stop.h"
#include "generation/syntax/language.h"

namespace weft::adapters {

enum class AnswerBegin { kFunction, kBody };  // the answer begins with the function's signature, or within its body

[[nodiscard]] std::unique_ptr<generation::StopCondition> stop_at_function_end(const generation::Language& language,
                                                                              AnswerBegin begin);

}  // namespace weft::adapters
