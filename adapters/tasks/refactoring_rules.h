// The rules behind the rows of refactorings.cc, forward and back, and what they are written with. A rule gives nothing
// where it would lose a comment, change a string of many lines, or meet code that it does not know. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/tasks/refactorings.h"

namespace weft::adapters::refactoring {

using generation::ByteRange;
using generation::Node;
using Found = std::optional<Rewrite>;

// refactoring_loops.cc
Found to_list_comprehension(std::string_view source, const Node& statement);
Found from_list_comprehension(std::string_view source, const Node& statement, Random& random);
Found to_dict_comprehension(std::string_view source, const Node& statement);
Found from_dict_comprehension(std::string_view source, const Node& statement, Random& random);
Found to_any_all(std::string_view source, const Node& statement);
Found from_any_all(std::string_view source, const Node& statement, Random& random);
Found to_enumerate(std::string_view source, const Node& statement);
Found from_enumerate(std::string_view source, const Node& statement, Random& random);

// refactoring_conditions.cc
Found to_guard_clause(std::string_view source, const Node& statement);
Found from_guard_clause(std::string_view source, const Node& statement, Random& random);
Found to_returned_condition(std::string_view source, const Node& statement);
Found from_returned_condition(std::string_view source, const Node& statement, Random& random);
Found to_merged_ifs(std::string_view source, const Node& statement);
Found from_merged_ifs(std::string_view source, const Node& statement, Random& random);
Found to_conditional_expression(std::string_view source, const Node& statement);
Found from_conditional_expression(std::string_view source, const Node& statement, Random& random);

// refactoring_expressions.cc
Found to_augmented_assignment(std::string_view source, const Node& statement);
Found from_augmented_assignment(std::string_view source, const Node& statement, Random& random);
Found to_f_string(std::string_view source, const Node& statement);
Found from_f_string(std::string_view source, const Node& statement, Random& random);

// refactoring_parts.cc
// The one statement in a block that is not a comment; null when there are more, or comments.
Node only_statement(const Node& block);
// The assignment that a statement is, without annotation or operator; else null.
Node plain_assignment(const Node& statement);
// An `if` with neither `elif` nor `else`, a `for` without `else`: nothing behind the body.
bool has_alternative(const Node& statement);
// The block of the one `else` of an `if` that has no `elif`; else null.
Node else_block(const Node& statement);
// Blanks before the statement's line.
std::string_view margin(std::string_view source, const Node& statement);
// A block's statements, moved from their indentation to `columns` more than `margin`; nothing when a string of many
// lines is in them.
std::optional<std::string> block_at(std::string_view source, const Node& block, std::string_view margin,
                                    std::size_t columns);
// What a `return` returns; empty for other statements.
std::string_view returned(std::string_view source, const Node& statement);
bool has_comment(const Node& node);
bool has_string_of_lines(const Node& node);
// The name occurs as an identifier in the node.
bool mentions(std::string_view source, const Node& node, std::string_view name);
bool is_one_line(const Node& node);
// In parentheses where an operand of `and` needs them.
std::string operand(std::string_view source, const Node& condition);
// True or False, whatever it is asked about.
bool is_boolean(std::string_view source, const Node& expression);

}  // namespace weft::adapters::refactoring
