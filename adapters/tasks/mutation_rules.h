// What the rules of mutations.cc propose, by what they change. Each looks at one node and adds edits of one line that
// change the function's meaning; what it could not tell from an equal meaning it leaves alone. Pure.
#pragma once

#include <vector>

#include "adapters/tasks/mutations.h"

namespace weft::adapters::mutation {

using Edits = std::vector<Edit>;
using generation::Node;

// mutation_names.cc
void wrong_variable(const FunctionView& view, const Node& node, Edits& edits);
void wrong_attribute(const FunctionView& view, const Node& node, Edits& edits);
void missing_attribute(const FunctionView& view, const Node& node, Edits& edits);
void wrong_function(const FunctionView& view, const Node& node, Edits& edits);
void wrong_method(const FunctionView& view, const Node& node, Edits& edits);

// mutation_operators.cc
void wrong_comparison(const FunctionView& view, const Node& node, Edits& edits);
void identity_for_equality(const FunctionView& view, const Node& node, Edits& edits);
void wrong_operator(const FunctionView& view, const Node& node, Edits& edits);
void swapped_operands(const FunctionView& view, const Node& node, Edits& edits);
void wrong_connective(const FunctionView& view, const Node& node, Edits& edits);
void missing_condition(const FunctionView& view, const Node& node, Edits& edits);
void negated_condition(const FunctionView& view, const Node& node, Edits& edits);
void wrong_assignment(const FunctionView& view, const Node& node, Edits& edits);

// mutation_calls.cc
void missing_argument(const FunctionView& view, const Node& node, Edits& edits);
void swapped_arguments(const FunctionView& view, const Node& node, Edits& edits);
void missing_wrapper(const FunctionView& view, const Node& node, Edits& edits);
void missing_call(const FunctionView& view, const Node& node, Edits& edits);

// mutation_statements.cc
void wrong_number(const FunctionView& view, const Node& node, Edits& edits);
void wrong_boolean(const FunctionView& view, const Node& node, Edits& edits);
void missing_return(const FunctionView& view, const Node& node, Edits& edits);
void missing_await(const FunctionView& view, const Node& node, Edits& edits);
void wrong_exception(const FunctionView& view, const Node& node, Edits& edits);
void wrong_jump(const FunctionView& view, const Node& node, Edits& edits);

}  // namespace weft::adapters::mutation
