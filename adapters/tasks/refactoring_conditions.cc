// Refactorings of conditions. Pure.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "adapters/tasks/refactoring_rules.h"

namespace weft::adapters::refactoring {
namespace {

constexpr std::size_t kMostGuardedRows = 16;  // more is no small step
constexpr std::size_t kMostColumns = 88;      // of an expression that is still easy to read

bool leaves(const Node& statement) {
  constexpr std::array<std::string_view, 4> kJumps = {"return_statement", "raise_statement", "continue_statement",
                                                      "break_statement"};
  return std::ranges::any_of(kJumps, [&statement](std::string_view kind) { return statement.is(kind); });
}

Node last_statement(const Node& block) {
  return block.named_children() == 0 ? Node() : block.named_child(block.named_children() - 1);
}

bool is_truth(std::string_view text) { return text == "True" || text == "False"; }

// The contrary, without a second `not`.
std::string contrary(std::string_view source, const Node& condition) {
  if (condition.is("not_operator")) return std::string(condition.field("argument").text(source));
  const bool atom = !condition.is("boolean_operator") && !condition.is("conditional_expression");
  const std::string text(condition.text(source));
  return atom ? "not " + text : "not (" + text + ")";
}

// `if CONDITION: return A`, `else: return B` or `return B` behind it.
struct Choice {
  Node condition;
  std::string_view then, otherwise;
  std::size_t end = 0;
};
std::optional<Choice> returned_choice(std::string_view source, const Node& statement) {
  if (!statement.is("if_statement") || has_comment(statement)) return std::nullopt;
  const Node other = has_alternative(statement) ? only_statement(else_block(statement)) : statement.next_named();
  const Choice choice{statement.field("condition"), returned(source, only_statement(statement.field("consequence"))),
                      returned(source, other), std::max(statement.end(), other.end())};
  return is_truth(choice.then) && is_truth(choice.otherwise) && choice.then != choice.otherwise ? std::optional(choice)
                                                                                                : std::nullopt;
}

}  // namespace

Found to_guard_clause(std::string_view source, const Node& statement) {
  const Node body = else_block(statement), then = statement.field("consequence");
  if (!statement.is("if_statement") || body.null() || !leaves(last_statement(then))) return std::nullopt;
  if (returned_choice(source, statement)) return std::nullopt;
  const std::string_view indentation = margin(source, statement);
  const auto moved = block_at(source, body, indentation, 0);
  if (!moved) return std::nullopt;
  return Rewrite{statement.range(),
                 fmt::format("{}\n{}", source.substr(statement.begin(), then.end() - statement.begin()), *moved)};
}

// What follows a guard in its block goes under an `else`.
Found from_guard_clause(std::string_view source, const Node& statement, Random&) {
  const Node then = statement.field("consequence"), block = statement.parent(), first = statement.next_named();
  if (!statement.is("if_statement") || has_alternative(statement) || !leaves(last_statement(then))) return std::nullopt;
  if (!block.is("block") || first.null() || returned_choice(source, statement)) return std::nullopt;
  const std::size_t end = last_statement(block).end();
  if (last_statement(block).last_row() - statement.first_row() > kMostGuardedRows) return std::nullopt;
  const std::string_view indentation = margin(source, statement);
  std::string rest;
  for (Node at = first; !at.null(); at = at.next_named()) {
    if (has_string_of_lines(at)) return std::nullopt;
  }
  std::string_view behind = source.substr(then.end(), end - then.end());
  behind.remove_prefix(behind.find('\n') + 1);
  while (!behind.empty()) {
    const std::string_view line = behind.substr(0, std::min(behind.find('\n'), behind.size()));
    behind.remove_prefix(std::min(line.size() + 1, behind.size()));
    if (line.find_first_not_of(" \t\r") != line.npos) rest += fmt::format("\n    {}", line);
  }
  return Rewrite{{statement.begin(), end},
                 fmt::format("{}\n{}else:{}", source.substr(statement.begin(), then.end() - statement.begin()),
                             indentation, rest)};
}

Found to_returned_condition(std::string_view source, const Node& statement) {
  const auto choice = returned_choice(source, statement);
  if (!choice || !is_one_line(choice->condition)) return std::nullopt;
  std::string value(choice->condition.text(source));
  if (choice->then == "False") {
    value = contrary(source, choice->condition);
  } else if (!is_boolean(source, choice->condition)) {
    value = fmt::format("bool({})", value);
  }
  return Rewrite{{statement.begin(), choice->end}, "return " + value};
}

Found from_returned_condition(std::string_view source, const Node& statement, Random& random) {
  const Node value = statement.named_child(0);
  if (!statement.is("return_statement") || !is_boolean(source, value) || !is_one_line(statement)) return std::nullopt;
  const bool contrary = value.is("not_operator");
  const Node condition = contrary ? value.field("argument") : value;
  const std::string_view indentation = margin(source, statement);
  const std::string_view then = contrary ? "False" : "True", otherwise = contrary ? "True" : "False";
  const std::string head = fmt::format("if {}:\n{}    return {}\n", condition.text(source), indentation, then);
  const std::string tail = random.below(2) == 0 ? fmt::format("{0}else:\n{0}    return {1}", indentation, otherwise)
                                                : fmt::format("{}return {}", indentation, otherwise);
  return Rewrite{statement.range(), head + tail};
}

Found to_merged_ifs(std::string_view source, const Node& statement) {
  const Node inner = only_statement(statement.field("consequence"));
  if (!statement.is("if_statement") || has_alternative(statement)) return std::nullopt;
  if (!inner.is("if_statement") || has_alternative(inner)) return std::nullopt;
  const Node outer_condition = statement.field("condition"), inner_condition = inner.field("condition");
  const std::string_view between = source.substr(outer_condition.end(), inner.begin() - outer_condition.end());
  if (!is_one_line(outer_condition) || !is_one_line(inner_condition) || between.find('#') != between.npos) {
    return std::nullopt;
  }
  const auto body = block_at(source, inner.field("consequence"), margin(source, statement), 4);
  if (!body) return std::nullopt;
  return Rewrite{statement.range(), fmt::format("if {} and {}:\n{}", operand(source, outer_condition),
                                                operand(source, inner_condition), *body)};
}

Found from_merged_ifs(std::string_view source, const Node& statement, Random&) {
  const Node condition = statement.field("condition");
  if (!statement.is("if_statement") || has_alternative(statement) || !is_one_line(condition)) return std::nullopt;
  if (!condition.is("boolean_operator") || condition.field("operator").text(source) != "and") return std::nullopt;
  const std::string_view indentation = margin(source, statement);
  const auto body = block_at(source, statement.field("consequence"), indentation, 8);
  if (!body) return std::nullopt;
  const auto bare = [source](Node node) {
    return node.is("parenthesized_expression") && node.named_child(0).is("boolean_operator") ? node.named_child(0)
                                                                                             : node;
  };
  return Rewrite{statement.range(), fmt::format("if {}:\n{}    if {}:\n{}", bare(condition.field("left")).text(source),
                                                indentation, bare(condition.field("right")).text(source), *body)};
}

Found to_conditional_expression(std::string_view source, const Node& statement) {
  if (!statement.is("if_statement") || has_comment(statement)) return std::nullopt;
  const Node then = plain_assignment(only_statement(statement.field("consequence")));
  const Node otherwise = plain_assignment(only_statement(else_block(statement)));
  const std::string_view target = then.field("left").text(source);
  const Node one = then.field("right"), other = otherwise.field("right");
  if (target.empty() || otherwise.field("left").text(source) != target || then.field("left").is("pattern_list")) {
    return std::nullopt;
  }
  for (const Node& part : {one, other, statement.field("condition")}) {
    if (!is_one_line(part) || part.is("conditional_expression") || part.is("assignment") || part.is("yield") ||
        part.is("expression_list")) {
      return std::nullopt;
    }
  }
  std::string text = fmt::format("{} = {} if {} else {}", target, one.text(source),
                                 statement.field("condition").text(source), other.text(source));
  return text.size() > kMostColumns ? std::nullopt : Found(Rewrite{statement.range(), std::move(text)});
}

Found from_conditional_expression(std::string_view source, const Node& statement, Random&) {
  const Node assignment = plain_assignment(statement), choice = assignment.field("right");
  if (!choice.is("conditional_expression") || choice.named_children() != 3 || !is_one_line(statement)) {
    return std::nullopt;
  }
  const std::string_view target = assignment.field("left").text(source);
  return Rewrite{
      statement.range(),
      fmt::format("if {0}:\n{4}    {1} = {2}\n{4}else:\n{4}    {1} = {3}", choice.named_child(1).text(source), target,
                  choice.named_child(0).text(source), choice.named_child(2).text(source), margin(source, statement))};
}

}  // namespace weft::adapters::refactoring
