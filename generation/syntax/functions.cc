#include "generation/syntax/functions.h"

#include <algorithm>

#include "generation/syntax/node.h"

namespace weft::generation {
namespace {

// The nodes that functions_of looks for, one row a language. A language without a row has no functions yet.
struct FunctionNodes {
  std::string_view language;
  std::string_view function, decorated;
  std::string_view name, body;   // fields
  std::string_view body_opener;  // the token that ends the signature
};
constexpr FunctionNodes kFunctionNodes[] = {
    {"python", "function_definition", "decorated_definition", "name", "body", ":"}};

constexpr std::size_t kTabWidth = 8;  // Python's own rule: to the next multiple of eight

const FunctionNodes* nodes_of(const Language& language) {
  const auto* row = std::ranges::find(kFunctionNodes, language.name, &FunctionNodes::language);
  return row == std::end(kFunctionNodes) ? nullptr : row;
}

std::size_t columns_before(std::string_view text, std::size_t offset) {
  const std::size_t line = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1: the text's beginning
  std::size_t columns = 0;
  for (const char c : text.substr(line, offset - line)) columns += c == '\t' ? kTabWidth - columns % kTabWidth : 1;
  return columns;
}

// The end of the token that opens the body: the last one, since annotations and lambdas have colons of their own.
std::optional<std::size_t> signature_end(const Node& function, const FunctionNodes& nodes) {
  const std::size_t body = function.field(nodes.body).begin();
  std::optional<std::size_t> end;
  for (std::size_t i = 0; i < function.children(); ++i) {
    const Node child = function.child(i);
    if (child.begin() >= body) break;
    if (child.is(nodes.body_opener)) end = child.end();
  }
  return end;
}

// The last statement's end: a block's node may go on to comments and blank lines behind it.
std::optional<ByteRange> statements_of(const Node& body) {
  std::optional<ByteRange> range;
  for (std::size_t i = 0; i < body.named_children(); ++i) {
    const Node statement = body.named_child(i);
    if (statement.is("comment")) continue;
    if (!range) range = ByteRange{statement.begin(), 0};
    range->end = statement.end();
  }
  return range;
}

// A string alone as the first statement. Bytes and f-strings document nothing.
std::optional<ByteRange> docstring_of(const Node& body, std::string_view text) {
  Node first = body.named_child(0);
  while (first.is("comment")) first = first.next_named();
  if (!first.is("expression_statement") || first.children() != 1) return std::nullopt;
  const Node string = first.child(0);
  if (!string.is("string")) return std::nullopt;
  const std::string_view opening = string.text(text).substr(0, string.text(text).find_first_of("'\""));
  if (opening.find_first_of("bBfF") != std::string_view::npos) return std::nullopt;
  return string.range();
}

std::optional<FunctionParts> parts_of(const Node& function, const FunctionNodes& nodes, std::string_view text) {
  const Node body = function.field(nodes.body);
  const auto colon = signature_end(function, nodes);
  const auto statements = statements_of(body);
  if (!colon || !statements || function.has_error()) return std::nullopt;
  const Node parent = function.parent();
  FunctionParts parts;
  parts.whole = {parent.is(nodes.decorated) ? parent.begin() : function.begin(), statements->end};
  parts.signature = {function.begin(), *colon};
  parts.name = function.field(nodes.name).range();
  parts.body = *statements;
  parts.docstring = docstring_of(body, text);
  parts.indentation = columns_before(text, function.begin());
  return parts;
}

}  // namespace

std::vector<FunctionParts> functions_of(const Language& language, const SyntaxTree& tree, std::string_view text) {
  std::vector<FunctionParts> functions;
  const FunctionNodes* nodes = nodes_of(language);
  if (nodes == nullptr) return functions;
  NodeCursor cursor(tree.root());
  do {
    const Node node = cursor.node();
    if (!node.is(nodes->function)) continue;
    if (auto parts = parts_of(node, *nodes, text)) functions.push_back(*parts);
  } while (cursor.next());
  return functions;
}

}  // namespace weft::generation
