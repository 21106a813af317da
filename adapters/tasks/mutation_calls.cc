// Mutation rules about calls and their arguments. Pure.
#include <algorithm>
#include <array>

#include "adapters/tasks/mutation_rules.h"

namespace weft::adapters::mutation {
namespace {

constexpr std::array<std::string_view, 22> kWrappers = {
    "str", "int",   "float", "list", "len", "sorted",    "set", "tuple", "abs",  "repr",  "reversed",
    "sum", "round", "iter",  "next", "any", "enumerate", "all", "bytes", "dict", "lower", "deepcopy"};
// Where it is all the same whether there is one of these around what is gone through.
constexpr std::array<std::string_view, 4> kIterables = {"list", "tuple", "iter", "sorted"};
// Of these the order of arguments does not matter, or not enough.
constexpr std::array<std::string_view, 9> kUnordered = {"min",   "max", "print", "gcd",  "isclose",
                                                        "hypot", "zip", "lcm",   "chain"};
constexpr std::array<std::string_view, 5> kAtoms = {"identifier", "attribute", "call", "subscript", "string"};

template <class Range>
bool contains(const Range& range, std::string_view text) {
  return std::ranges::find(range, text) != range.end();
}

// The arguments in order; none when there are comments among them.
std::vector<Node> arguments_of(const Node& list) {
  std::vector<Node> arguments;
  if (!list.is("argument_list")) return arguments;
  for (std::size_t i = 0; i < list.named_children(); ++i) {
    if (list.named_child(i).is("comment")) return {};
    arguments.push_back(list.named_child(i));
  }
  return arguments;
}

// The name of what is called: `name(…)` or `object.name(…)`.
std::string_view callee_of(const FunctionView& view, const Node& call) {
  const Node function = call.field("function");
  return (function.is("attribute") ? function.field("attribute") : function).text(view.text);
}

bool is_atom(const Node& node) {
  return std::ranges::any_of(kAtoms, [&node](std::string_view kind) { return node.is(kind); });
}

bool positional(const Node& argument) {
  return !argument.is("keyword_argument") && !argument.is("list_splat") && !argument.is("dictionary_splat");
}

// Only its truth counts here, or it is only gone through.
bool truth_only(const Node& node) {
  const Node parent = node.parent();
  return parent.field("condition") == node || parent.is("not_operator") || parent.is("boolean_operator");
}
bool iterated(const Node& node) {
  const Node parent = node.parent();
  return (parent.is("for_statement") || parent.is("for_in_clause")) && parent.field("right") == node;
}

}  // namespace

void missing_argument(const FunctionView&, const Node& node, Edits& edits) {
  const auto arguments = arguments_of(node);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const bool last = i + 1 == arguments.size();
    if (last || arguments[i].is("keyword_argument")) {
      edits.push_back({{arguments[i - 1].end(), arguments[i].end()}, ""});
    }
  }
}

void swapped_arguments(const FunctionView& view, const Node& node, Edits& edits) {
  const auto arguments = arguments_of(node);
  if (contains(kUnordered, callee_of(view, node.parent()))) return;
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    const Node &one = arguments[i], &other = arguments[i + 1];
    if (!positional(one) || !positional(other) || one.text(view.text) == other.text(view.text)) continue;
    std::string swapped(other.text(view.text));
    swapped += view.text.substr(one.end(), other.begin() - one.end());
    swapped += one.text(view.text);
    edits.push_back({{one.begin(), other.end()}, std::move(swapped)});
  }
}

void missing_wrapper(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("call") || !node.field("function").is("identifier") || node.parent().is("expression_statement")) return;
  const std::string_view wrapper = callee_of(view, node);
  const auto arguments = arguments_of(node.field("arguments"));
  if (!contains(kWrappers, wrapper) || arguments.size() != 1 || !is_atom(arguments[0])) return;
  if (wrapper == "len" && truth_only(node)) return;
  const bool printed =
      wrapper == "str" && (node.parent().is("interpolation") || callee_of(view, node.parent().parent()) == "print");
  const bool inner = node.parent().is("argument_list") && contains(kWrappers, callee_of(view, node.parent().parent()));
  if (printed || (contains(kIterables, wrapper) && (iterated(node) || inner))) return;
  edits.push_back({node.range(), std::string(arguments[0].text(view.text))});
}

// `text.strip()` without `.strip()`, or without `()`.
void missing_call(const FunctionView& view, const Node& node, Edits& edits) {
  const Node function = node.field("function");
  if (!node.is("call") || !function.is("attribute") || node.parent().is("expression_statement")) return;
  if (node.parent().is("await") || node.field("arguments").named_children() > 0) return;
  edits.push_back({node.range(), std::string(function.text(view.text))});
  if (callee_of(view, node) == "keys" || callee_of(view, node) == "copy") return;  // goes through the same, or may be
  edits.push_back({node.range(), std::string(function.field("object").text(view.text))});
}

}  // namespace weft::adapters::mutation
