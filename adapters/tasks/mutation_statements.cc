// Mutation rules about literals and statements. Pure.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "adapters/tasks/mutation_rules.h"

namespace weft::adapters::mutation {
namespace {

constexpr int kLargestNumber = 64;  // people are off by one about small numbers

struct Siblings {
  std::string_view one, other;
};
constexpr auto kExceptions = std::to_array<Siblings>({
    {"KeyError", "IndexError"},
    {"KeyError", "AttributeError"},
    {"ValueError", "TypeError"},
    {"ValueError", "KeyError"},
    {"OSError", "ValueError"},
    {"FileNotFoundError", "FileExistsError"},
    {"StopIteration", "GeneratorExit"},
    {"ImportError", "AttributeError"},
    {"UnicodeDecodeError", "UnicodeEncodeError"},
});

std::optional<int> small_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kLargestNumber) return std::nullopt;
  return std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

}  // namespace

// One more or one less; of `[-1]` also the other end.
void wrong_number(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("integer")) return;
  const auto value = small_number(node.text(view.text));
  if (!value) return;
  const Node parent = node.parent();
  if (parent.is("unary_operator") && parent.parent().is("subscript") && value == 1) {
    edits.push_back({parent.range(), "0"});
    return;
  }
  edits.push_back({node.range(), std::to_string(*value + 1)});
  if (*value > 0 && !parent.is("unary_operator")) edits.push_back({node.range(), std::to_string(*value - 1)});
}

void wrong_boolean(const FunctionView&, const Node& node, Edits& edits) {
  if (node.is("true")) edits.push_back({node.range(), "False"});
  if (node.is("false")) edits.push_back({node.range(), "True"});
}

void missing_return(const FunctionView& view, const Node& node, Edits& edits) {
  const Node value = node.named_child(0);
  if (!node.is("return_statement") || !(value.is("call") || value.is("await"))) return;
  edits.push_back({node.range(), std::string(value.text(view.text))});
}

void missing_await(const FunctionView& view, const Node& node, Edits& edits) {
  if (node.is("await") && node.named())
    edits.push_back({node.range(), std::string(node.named_child(0).text(view.text))});
}

void wrong_exception(const FunctionView& view, const Node& node, Edits& edits) {
  if (!node.is("identifier")) return;
  Node clause = node.parent();
  while (clause.is("tuple") || clause.is("as_pattern")) clause = clause.parent();
  if (!clause.is("except_clause")) return;
  for (const auto& [one, other] : kExceptions) {
    if (node.text(view.text) == one) edits.push_back({node.range(), std::string(other)});
    if (node.text(view.text) == other) edits.push_back({node.range(), std::string(one)});
  }
}

void wrong_jump(const FunctionView&, const Node& node, Edits& edits) {
  if (node.is("break_statement")) edits.push_back({node.range(), "continue"});
  if (node.is("continue_statement")) edits.push_back({node.range(), "break"});
}

}  // namespace weft::adapters::mutation
