// What the rules of refactorings are written with. Pure.
#include <algorithm>
#include <array>

#include "adapters/tasks/lines.h"
#include "adapters/tasks/refactoring_rules.h"

namespace weft::adapters::refactoring {
namespace {

using generation::NodeCursor;

constexpr std::array<std::string_view, 9> kPredicates = {"isinstance", "issubclass", "any",        "all",     "bool",
                                                         "hasattr",    "callable",   "startswith", "endswith"};

template <class Test>
bool any_below(const Node& node, Test&& test) {
  if (node.null()) return false;
  NodeCursor cursor(node);
  do {
    if (test(cursor.node())) return true;
  } while (cursor.next());
  return false;
}

// The end of the colon that opens the block. Comments may stand between the two.
std::size_t colon_before(const Node& block) {
  const Node holder = block.parent();
  std::size_t end = 0;
  for (std::size_t i = 0; i < holder.children() && holder.child(i).end() <= block.begin(); ++i) {
    if (holder.child(i).is(":")) end = holder.child(i).end();
  }
  return end;
}

}  // namespace

Node only_statement(const Node& block) {
  return block.named_children() == 1 && !block.named_child(0).is("comment") ? block.named_child(0) : Node();
}

Node plain_assignment(const Node& statement) {
  if (!statement.is("expression_statement") || statement.children() != 1) return {};
  const Node assignment = statement.child(0);
  return assignment.is("assignment") && assignment.field("type").null() ? assignment : Node();
}

bool has_alternative(const Node& statement) { return !statement.field("alternative").null(); }

Node else_block(const Node& statement) {
  const Node clause = statement.field("alternative");
  return clause.is("else_clause") ? clause.field("body") : Node();
}

std::string_view margin(std::string_view source, const Node& statement) {
  return margin_of(source.substr(from_line_begin(source, statement.range()).begin));
}

std::optional<std::string> block_at(std::string_view source, const Node& block, std::string_view margin,
                                    std::size_t columns) {
  const std::size_t colon = colon_before(block), line_end = source.find('\n', colon);
  // A comment behind the colon has no place any more.
  const bool own_lines = line_end < block.begin() && trimmed(source.substr(colon, line_end - colon)).empty();
  if (has_string_of_lines(block) || !own_lines) return std::nullopt;
  const std::string inner = without_indentation(source.substr(line_end, block.end() - line_end));
  std::string out;
  for (const std::string_view line : lines_of(inner)) {
    if (trimmed(line).empty() && out.empty()) continue;
    if (!out.empty()) out += '\n';
    if (!trimmed(line).empty()) out.append(margin).append(columns, ' ').append(line);
  }
  return out;
}

std::string_view returned(std::string_view source, const Node& statement) {
  return statement.is("return_statement") ? statement.named_child(0).text(source) : "";
}

bool has_comment(const Node& node) {
  return any_below(node, [](const Node& inner) { return inner.is("comment"); });
}

bool has_string_of_lines(const Node& node) {
  return any_below(node, [](const Node& inner) { return inner.is("string") && !is_one_line(inner); });
}

bool mentions(std::string_view source, const Node& node, std::string_view name) {
  return any_below(node, [&](const Node& inner) { return inner.is("identifier") && inner.text(source) == name; });
}

bool is_one_line(const Node& node) { return node.first_row() == node.last_row(); }

std::string operand(std::string_view source, const Node& condition) {
  constexpr std::array<std::string_view, 3> kLooser = {"conditional_expression", "lambda", "named_expression"};
  const bool looser = std::ranges::any_of(kLooser, [&](std::string_view kind) { return condition.is(kind); });
  const bool alternative = condition.is("boolean_operator") && condition.field("operator").text(source) == "or";
  const std::string text(condition.text(source));
  return looser || alternative ? "(" + text + ")" : text;
}

bool is_boolean(std::string_view source, const Node& expression) {
  if (expression.is("parenthesized_expression")) return is_boolean(source, expression.named_child(0));
  if (expression.is("comparison_operator") || expression.is("not_operator")) return true;
  if (expression.is("boolean_operator")) {
    return is_boolean(source, expression.field("left")) && is_boolean(source, expression.field("right"));
  }
  const Node function = expression.field("function");
  const Node name = function.is("attribute") ? function.field("attribute") : function;
  return expression.is("call") && std::ranges::count(kPredicates, name.text(source)) > 0;
}

}  // namespace weft::adapters::refactoring
