// Mutation rules about names: variables, attributes, functions. Pure.
#include <algorithm>
#include <array>

#include "adapters/tasks/mutation_rules.h"

namespace weft::adapters::mutation {
namespace {

// Methods that people take for each other. Both ways.
struct Confusable {
  std::string_view one, other;
};
constexpr auto kConfusables = std::to_array<Confusable>({
    {"append", "extend"},   {"append", "add"},        {"startswith", "endswith"},
    {"strip", "rstrip"},    {"strip", "lstrip"},      {"lower", "upper"},
    {"keys", "values"},     {"values", "items"},      {"split", "rsplit"},
    {"find", "rfind"},      {"find", "index"},        {"dump", "dumps"},
    {"load", "loads"},      {"read", "readline"},     {"write", "writelines"},
    {"encode", "decode"},   {"add", "remove"},        {"add", "update"},
    {"remove", "discard"},  {"update", "setdefault"}, {"get", "pop"},
    {"min", "max"},         {"any", "all"},           {"union", "intersection"},
    {"search", "match"},    {"match", "fullmatch"},   {"group", "groups"},
    {"isdigit", "isalpha"}, {"hasattr", "getattr"},   {"isinstance", "issubclass"},
    {"is_file", "exists"},  {"isfile", "isdir"},      {"str", "repr"},
    {"int", "float"},       {"list", "set"},          {"floor", "ceil"},
});

bool is_own(std::string_view name) { return name == "self" || name == "cls"; }

bool is_field(const Node& node, std::string_view field) {
  const Node holder = node.parent();
  return holder.field(field) == node;
}

// Is the name bound here rather than read? Patterns nest in each other.
bool is_binding(Node node) {
  for (Node parent = node.parent(); !parent.null(); node = parent, parent = node.parent()) {
    if (parent.is("pattern_list") || parent.is("tuple_pattern") || parent.is("list_pattern")) continue;
    if (parent.is("as_pattern_target")) return true;
    const bool binder = parent.is("assignment") || parent.is("augmented_assignment") || parent.is("for_statement") ||
                        parent.is("for_in_clause");
    return (binder && parent.field("left") == node) || (parent.is("named_expression") && parent.field("name") == node);
  }
  return false;
}

// A name that stands for a value that is read.
bool is_read(const Node& node) {
  const Node parent = node.parent();
  if (parent.is("attribute")) return is_field(node, "object");
  if (parent.is("keyword_argument")) return is_field(node, "value");
  if (parent.is("call")) return false;  // its function: arguments have a list between
  constexpr std::array<std::string_view, 8> kDeclarations = {
      "function_definition", "class_definition",      "global_statement", "nonlocal_statement",
      "delete_statement",    "import_from_statement", "dotted_name",      "lambda_parameters"};
  return !std::ranges::any_of(kDeclarations, [&](std::string_view kind) { return parent.is(kind); }) &&
         !is_binding(node);
}

void propose_confusables(const FunctionView& view, const Node& name, Edits& edits) {
  for (const auto& [one, other] : kConfusables) {
    if (name.text(view.text) == one) edits.push_back({name.range(), std::string(other)});
    if (name.text(view.text) == other) edits.push_back({name.range(), std::string(one)});
  }
}

// Other names that the function takes from the same object, in the same way.
void propose_siblings(const FunctionView& view, const Node& attribute, Edits& edits) {
  const Node name = attribute.field("attribute");
  const bool called = is_field(attribute, "function");
  std::vector<std::string_view> seen{name.text(view.text)};
  for (const Node& other : view.attributes) {
    const std::string_view text = other.field("attribute").text(view.text);
    if (other.field("object").text(view.text) != attribute.field("object").text(view.text)) continue;
    if (is_field(other, "function") != called || std::ranges::count(seen, text) > 0) continue;
    seen.push_back(text);
    edits.push_back({name.range(), std::string(text)});
  }
}

}  // namespace

void wrong_variable(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("identifier") || !is_read(node)) return;
  const std::string_view name = node.text(view.text);
  const auto named = [name](const Variable& variable) { return variable.name == name; };
  if (is_own(name) || std::ranges::none_of(view.variables, named)) return;
  for (const Variable& other : view.variables) {
    if (named(other) || is_own(other.name) || other.bound_from > node.begin()) continue;
    edits.push_back({node.range(), std::string(other.name)});
  }
}

void wrong_attribute(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("attribute") || is_field(node, "function") || is_binding(node)) return;
  propose_siblings(view, node, edits);
}

// `self.name` without `self.`, and `object.name` without `.name`.
void missing_attribute(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("attribute") || is_field(node, "function") || is_binding(node)) return;
  const Node object = node.field("object");
  if (!object.is("identifier") || node.parent().is("delete_statement")) return;
  const Node kept = is_own(object.text(view.text)) ? node.field("attribute") : object;
  // `x = self.x` without `self.` is the same name on both sides: found by reading, not worth learning.
  if (node.parent().field("left").text(view.text) == kept.text(view.text)) return;
  edits.push_back({node.range(), std::string(kept.text(view.text))});
}

void wrong_function(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("identifier") || !node.parent().is("call") || !is_field(node, "function")) return;
  propose_confusables(view, node, edits);
  for (const std::string_view other : view.callees) {
    if (other != node.text(view.text)) edits.push_back({node.range(), std::string(other)});
  }
}

void wrong_method(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("attribute") || !is_field(node, "function")) return;
  propose_confusables(view, node.field("attribute"), edits);
  propose_siblings(view, node, edits);
}

}  // namespace weft::adapters::mutation
