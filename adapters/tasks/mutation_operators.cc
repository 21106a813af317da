// Mutation rules about operators and conditions. Pure.
#include <algorithm>
#include <array>

#include "adapters/tasks/mutation_rules.h"

namespace weft::adapters::mutation {
namespace {

struct Replacement {
  std::string_view from, to;
};

// Not `>` for `!=`, nor the like: of a length against 0 the two say the same.
constexpr auto kComparisons = std::to_array<Replacement>({
    {"<", "<="},
    {"<", ">"},
    {"<=", "<"},
    {"<=", ">="},
    {">", ">="},
    {">", "<"},
    {">=", ">"},
    {">=", "<="},
    {"==", "!="},
    {"!=", "=="},
    {"in", "not in"},
    {"not in", "in"},
    {"is", "is not"},
    {"is not", "is"},
});
constexpr auto kOperators = std::to_array<Replacement>({
    {"+", "-"},
    {"-", "+"},
    {"*", "/"},
    {"*", "+"},
    {"/", "*"},
    {"/", "//"},
    {"//", "/"},
    {"//", "%"},
    {"%", "//"},
    {"**", "*"},
    {"<<", ">>"},
    {">>", "<<"},
    {"&", "|"},
    {"|", "&"},
});
constexpr auto kAssignments = std::to_array<Replacement>({
    {"+=", "-="},
    {"-=", "+="},
    {"*=", "+="},
    {"/=", "*="},
    {"|=", "&="},
    {"&=", "|="},
    {"+=", "="},
    {"-=", "="},
    {"*=", "="},
    {"|=", "="},
});
constexpr std::array<std::string_view, 7> kOrderedOperators = {"-", "/", "//", "%", "**", "<<", ">>"};
constexpr std::array<std::string_view, 6> kAtoms = {"identifier", "attribute", "call",
                                                    "subscript",  "integer",   "parenthesized_expression"};
// What the operators of numbers are not for.
constexpr std::array<std::string_view, 7> kSequences = {"string", "concatenated_string", "list", "list_comprehension",
                                                        "tuple",  "dictionary",          "set"};

template <class Kinds>
bool is_any(const Node& node, const Kinds& kinds) {
  return std::ranges::any_of(kinds, [&node](std::string_view kind) { return node.is(kind); });
}

// The operator of `a < b`. Null for chains.
Node comparison_operator_of(const Node& node) {
  if (!node.is("comparison_operator") || node.named_children() != 2) return {};
  return node.field("operators");
}

// `if a > b: b = a`, `a if a > b else b`: whether equal ones are swapped is all the same.
bool picks_extreme(const FunctionView& view, const Node& comparison) {
  const std::string_view left = comparison.named_child(0).text(view.text);
  const std::string_view right = comparison.named_child(1).text(view.text);
  const Node parent = comparison.parent();
  if (parent.is("conditional_expression")) {
    const std::string_view chosen = parent.named_child(0).text(view.text);
    return chosen == left || chosen == right || parent.named_child(2).text(view.text) == left;
  }
  const Node body = parent.field("consequence");
  for (std::size_t i = 0; i < body.named_children(); ++i) {
    const Node assignment = body.named_child(i).named_child(0);
    const std::string_view to = assignment.field("left").text(view.text);
    if (assignment.is("assignment") && !to.empty() && (to == left || to == right)) return true;
  }
  return false;
}

bool moves_bound_only(std::string_view from, std::string_view to) {
  return from.substr(0, 1) == to.substr(0, 1) && from.size() != to.size() && (from[0] == '<' || from[0] == '>');
}

void replace(const Node& node, std::string_view text, Edits& edits) {
  edits.push_back({node.range(), std::string(text)});
}

}  // namespace

void wrong_comparison(const FunctionView& view, const Node& node, Edits& edits) {
  const Node sign = comparison_operator_of(node);
  for (const auto& [from, to] : kComparisons) {
    if (sign.null() || sign.text(view.text) != from) continue;
    if (!moves_bound_only(from, to) || !picks_extreme(view, node)) replace(sign, to, edits);
  }
}

// Equal strings and large numbers need not be the same object.
void identity_for_equality(const FunctionView& view, const Node& node, Edits& edits) {
  const Node sign = comparison_operator_of(node);
  const Node right = node.named_child(1);
  if (!right.is("string") && !right.is("integer") && !right.is("attribute")) return;
  if (!sign.null() && sign.text(view.text) == "==") replace(sign, "is", edits);
  if (!sign.null() && sign.text(view.text) == "!=") replace(sign, "is not", edits);
}

void wrong_operator(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("binary_operator")) return;
  const Node left = node.field("left"), right = node.field("right"), sign = node.field("operator");
  if (is_any(left, kSequences) || is_any(right, kSequences)) return;
  for (const auto& [from, to] : kOperators) {
    if (sign.text(view.text) == from) replace(sign, to, edits);
  }
}

void swapped_operands(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("binary_operator")) return;
  const Node left = node.field("left"), right = node.field("right");
  const std::string_view sign = node.field("operator").text(view.text);
  if (std::ranges::count(kOrderedOperators, sign) == 0 || !is_any(left, kAtoms) || !is_any(right, kAtoms)) return;
  if (left.text(view.text) == right.text(view.text)) return;
  std::string swapped(right.text(view.text));
  swapped += view.text.substr(left.end(), right.begin() - left.end());
  swapped += left.text(view.text);
  replace(node, swapped, edits);
}

void wrong_connective(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("boolean_operator")) return;
  const Node sign = node.field("operator");
  replace(sign, sign.text(view.text) == "and" ? "or" : "and", edits);
}

void missing_condition(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("boolean_operator")) return;
  replace(node, node.field("left").text(view.text), edits);
  replace(node, node.field("right").text(view.text), edits);
}

void negated_condition(const FunctionView& view, const Node& node, Edits& edits) {
  if (node.is("not_operator")) {
    replace(node, node.field("argument").text(view.text), edits);
    return;
  }
  const bool condition = node.parent().field("condition") == node;
  if (condition && (node.is("identifier") || node.is("call") || node.is("attribute"))) {
    replace(node, "not " + std::string(node.text(view.text)), edits);
  }
}

void wrong_assignment(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("augmented_assignment")) return;
  const Node sign = node.field("operator"), right = node.field("right");
  for (const auto& [from, to] : kAssignments) {
    if (sign.text(view.text) != from || (to != "=" && is_any(right, kSequences))) continue;
    replace(sign, to, edits);
  }
}

}  // namespace weft::adapters::mutation
