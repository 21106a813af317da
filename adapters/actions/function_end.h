// FunctionEnd: a generation of one function is over where the next statement of its own level begins. It keeps no state
// between calls, so that one object serves every line of a beam search. Engine thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "generation/stop.h"
#include "generation/syntax/language.h"

namespace weft::adapters {

struct AnswerShape {
  bool begins_in_body = false;  // else with the function's signature, or what stands above it
  std::size_t indentation = 0;  // columns that the function stands at
  std::string opening{};        // stands before what is generated
};

[[nodiscard]] std::unique_ptr<generation::StopCondition> stop_at_function_end(const generation::Language& language,
                                                                              AnswerShape shape);

}  // namespace weft::adapters
