// Refactorings of loops. Pure.
#include <fmt/format.h>

#include "adapters/tasks/refactoring_rules.h"

namespace weft::adapters::refactoring {
namespace {

// `for LEFT in RIGHT` and, if there is one, `if CONDITION`, in front of one statement or around one expression.
struct Loop {
  Node left, right, condition;
  Node inner;  // the statement, or the expression
};

bool simple(const Node& node) { return !node.is("conditional_expression") && !node.is("lambda") && is_one_line(node); }

// A `for` statement with one statement inside, maybe under an `if`.
std::optional<Loop> loop_of(const Node& statement) {
  if (!statement.is("for_statement") || has_alternative(statement) || has_comment(statement)) return std::nullopt;
  if (statement.child(0).is("async")) return std::nullopt;
  Loop loop{statement.field("left"), statement.field("right"), {}, only_statement(statement.field("body"))};
  if (loop.inner.is("if_statement")) {
    if (has_alternative(loop.inner)) return std::nullopt;
    loop.condition = loop.inner.field("condition");
    loop.inner = only_statement(loop.inner.field("consequence"));
  }
  if (loop.inner.null() || !simple(loop.right) || loop.right.is("expression_list")) return std::nullopt;
  return loop.condition.null() || simple(loop.condition) ? std::optional(loop) : std::nullopt;
}

// A comprehension or generator with one `for` and at most one `if`.
std::optional<Loop> comprehension_of(const Node& node) {
  if (node.named_children() < 2 || node.named_children() > 3 || has_comment(node)) return std::nullopt;
  const Node clause = node.named_child(1), filter = node.named_child(2);
  if (!clause.is("for_in_clause") || clause.child(0).is("async")) return std::nullopt;
  if (!filter.null() && !filter.is("if_clause")) return std::nullopt;
  Loop loop{clause.field("left"), clause.field("right"), filter.named_child(0), node.field("body")};
  if (!simple(loop.right) || !is_one_line(loop.left) || !is_one_line(loop.inner)) return std::nullopt;
  return loop.condition.null() || simple(loop.condition) ? std::optional(loop) : std::nullopt;
}

std::string clauses(std::string_view source, const Loop& loop) {
  std::string text = fmt::format("for {} in {}", loop.left.text(source), loop.right.text(source));
  if (!loop.condition.null()) text += fmt::format(" if {}", loop.condition.text(source));
  return text;
}

// The loop as statements, with `inner` innermost.
std::string statements(std::string_view source, const Loop& loop, std::string_view margin, std::string_view inner) {
  std::string text = fmt::format("for {} in {}:\n", loop.left.text(source), loop.right.text(source));
  std::string deep = std::string(margin) + "    ";
  if (!loop.condition.null()) {
    text += fmt::format("{}if {}:\n", deep, loop.condition.text(source));
    deep += "    ";
  }
  return text + deep + std::string(inner);
}

// The loop fills the variable that is made empty right before it.
struct Filling {
  Loop loop;
  Node start;     // the assignment's statement
  Node variable;  // its left side
};
std::optional<Filling> filling_of(std::string_view source, const Node& statement, std::string_view empty) {
  const auto loop = loop_of(statement);
  const Node start = statement.previous_named();
  const Node assignment = plain_assignment(start);
  if (!loop || !assignment.field("left").is("identifier") || assignment.field("right").text(source) != empty) {
    return std::nullopt;
  }
  const std::string_view name = assignment.field("left").text(source);
  if (mentions(source, loop->right, name) || mentions(source, loop->condition, name)) return std::nullopt;
  return Filling{*loop, start, assignment.field("left")};
}

Found filled_by(std::string_view source, const Node& statement, std::string_view kind, std::string_view empty) {
  const Node assignment = plain_assignment(statement);
  const Node variable = assignment.field("left");
  const auto loop = comprehension_of(assignment.field("right"));
  if (!variable.is("identifier") || !assignment.field("right").is(kind) || !loop) return std::nullopt;
  const std::string_view name = variable.text(source);
  if (mentions(source, assignment.field("right"), name)) return std::nullopt;
  const std::string_view indentation = margin(source, statement);
  const std::string inner = kind == "list_comprehension"
                                ? fmt::format("{}.append({})", name, loop->inner.text(source))
                                : fmt::format("{}[{}] = {}", name, loop->inner.field("key").text(source),
                                              loop->inner.field("value").text(source));
  return Rewrite{statement.range(),
                 fmt::format("{} = {}\n{}{}", name, empty, indentation, statements(source, *loop, indentation, inner))};
}

// `range(len(SEQUENCE))`: the sequence, a name or an attribute; else null.
Node counted_sequence(std::string_view source, const Node& range) {
  const Node length = range.field("arguments").named_child(0);
  if (range.field("function").text(source) != "range" || range.field("arguments").named_children() != 1) return {};
  const Node sequence = length.field("arguments").named_child(0);
  if (length.field("function").text(source) != "len" || length.field("arguments").named_children() != 1) return {};
  return sequence.is("identifier") || sequence.is("attribute") ? sequence : Node();
}

bool assigns(std::string_view source, const Node& body, std::string_view name) {
  generation::NodeCursor cursor(body);
  do {
    const Node node = cursor.node();
    const bool binds = node.is("assignment") || node.is("augmented_assignment") || node.is("for_statement");
    if (binds && mentions(source, node.field("left"), name)) return true;
  } while (cursor.next());
  return false;
}

}  // namespace

Found to_list_comprehension(std::string_view source, const Node& statement) {
  const auto filling = filling_of(source, statement, "[]");
  if (!filling) return std::nullopt;
  const Node call = filling->loop.inner.named_child(0), function = call.field("function");
  const Node item = call.field("arguments").named_child(0);
  const std::string_view name = filling->variable.text(source);
  if (!filling->loop.inner.is("expression_statement") || !call.is("call")) return std::nullopt;
  if (function.field("object").text(source) != name || function.field("attribute").text(source) != "append" ||
      call.field("arguments").named_children() != 1 || item.is("list_splat") || mentions(source, item, name)) {
    return std::nullopt;
  }
  return Rewrite{{filling->start.begin(), statement.end()},
                 fmt::format("{} = [{} {}]", name, item.text(source), clauses(source, filling->loop))};
}

Found from_list_comprehension(std::string_view source, const Node& statement, Random&) {
  return filled_by(source, statement, "list_comprehension", "[]");
}

Found to_dict_comprehension(std::string_view source, const Node& statement) {
  const auto filling = filling_of(source, statement, "{}");
  if (!filling) return std::nullopt;
  const Node assignment = plain_assignment(filling->loop.inner);
  const Node target = assignment.field("left"), value = assignment.field("right"), key = target.field("subscript");
  const std::string_view name = filling->variable.text(source);
  if (!target.is("subscript") || target.field("value").text(source) != name || target.named_children() != 2) {
    return std::nullopt;
  }
  if (value.is("assignment") || mentions(source, value, name) || mentions(source, key, name)) return std::nullopt;
  return Rewrite{
      {filling->start.begin(), statement.end()},
      fmt::format("{} = {{{}: {} {}}}", name, key.text(source), value.text(source), clauses(source, filling->loop))};
}

Found from_dict_comprehension(std::string_view source, const Node& statement, Random&) {
  return filled_by(source, statement, "dictionary_comprehension", "{}");
}

// `for x in xs: if c: return True`, then `return False`. The other way round it is `all`, of the contrary.
Found to_any_all(std::string_view source, const Node& statement) {
  const auto loop = loop_of(statement);
  const Node end = statement.next_named();
  if (!loop || loop->condition.null()) return std::nullopt;
  const std::string_view found = returned(source, loop->inner), otherwise = returned(source, end);
  const bool any = found == "True" && otherwise == "False", all = found == "False" && otherwise == "True";
  if ((!any && !all) || (all && !loop->condition.is("not_operator"))) return std::nullopt;
  const Node condition = any ? loop->condition : loop->condition.field("argument");
  return Rewrite{{statement.begin(), end.end()},
                 fmt::format("return {}({} for {} in {})", any ? "any" : "all", condition.text(source),
                             loop->left.text(source), loop->right.text(source))};
}

Found from_any_all(std::string_view source, const Node& statement, Random&) {
  const Node call = statement.named_child(0), generator = call.field("arguments");
  const std::string_view name = call.field("function").text(source);
  if (!statement.is("return_statement") || (name != "any" && name != "all")) return std::nullopt;
  auto loop = generator.is("generator_expression") ? comprehension_of(generator) : std::nullopt;
  if (!loop || !loop->condition.null() || !simple(loop->inner)) return std::nullopt;
  const bool any = name == "any";
  const std::string test = any ? std::string(loop->inner.text(source)) : "not " + operand(source, loop->inner);
  const std::string_view indentation = margin(source, statement);
  const std::string inner = fmt::format("if {}:\n{}        return {}", test, indentation, any ? "True" : "False");
  return Rewrite{statement.range(), fmt::format("{}\n{}return {}", statements(source, *loop, indentation, inner),
                                                indentation, any ? "False" : "True")};
}

Found to_enumerate(std::string_view source, const Node& statement) {
  const Node index = statement.field("left"), body = statement.field("body"), first = body.named_child(0);
  const Node sequence = counted_sequence(source, statement.field("right"));
  if (!statement.is("for_statement") || has_alternative(statement) || !index.is("identifier") || sequence.null()) {
    return std::nullopt;
  }
  const Node assignment = plain_assignment(first), item = assignment.field("left");
  const Node element = assignment.field("right");
  const std::string taken = fmt::format("{}[{}]", sequence.text(source), index.text(source));
  if (!item.is("identifier") || element.text(source) != taken || body.named_children() < 2) return std::nullopt;
  if (assigns(source, body.named_child(1), index.text(source)) || has_string_of_lines(body)) return std::nullopt;
  const ByteRange rest{first.end(), body.end()};
  return Rewrite{statement.range(),
                 fmt::format("for {}, {} in enumerate({}):{}", index.text(source), item.text(source),
                             sequence.text(source), source.substr(rest.begin, rest.end - rest.begin))};
}

Found from_enumerate(std::string_view source, const Node& statement, Random&) {
  const Node left = statement.field("left"), right = statement.field("right"), body = statement.field("body");
  const Node sequence = right.field("arguments").named_child(0);
  if (!statement.is("for_statement") || has_alternative(statement) || statement.child(0).is("async"))
    return std::nullopt;
  if (!left.is("pattern_list") || left.named_children() != 2 || !left.named_child(0).is("identifier") ||
      !left.named_child(1).is("identifier") || right.field("function").text(source) != "enumerate" ||
      right.field("arguments").named_children() != 1 || body.first_row() == statement.first_row()) {
    return std::nullopt;
  }
  if (!sequence.is("identifier") && !sequence.is("attribute")) return std::nullopt;
  const std::string_view index = left.named_child(0).text(source);
  const std::string_view deep = margin(source, body.named_child(0));
  const std::size_t behind_colon = source.substr(0, body.begin()).rfind('\n');
  return Rewrite{statement.range(),
                 fmt::format("for {0} in range(len({1})):\n{2}{3} = {1}[{0}]{4}", index, sequence.text(source), deep,
                             left.named_child(1).text(source), source.substr(behind_colon, body.end() - behind_colon))};
}

}  // namespace weft::adapters::refactoring
