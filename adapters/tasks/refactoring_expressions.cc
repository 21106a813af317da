// Refactorings inside a statement. Pure.
#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "adapters/tasks/refactoring_rules.h"

namespace weft::adapters::refactoring {
namespace {

using generation::NodeCursor;

constexpr std::array<std::string_view, 11> kAugmented = {"+", "-", "*", "/", "//", "%", "**", "|", "&", "^", "<<"};

// A string with holes in it: texts.size() == values.size() + 1.
struct Template {
  char quote = '"';
  std::vector<std::string> texts{""};
  std::vector<std::string> values;
};

// What stands between the quotes of a plain literal; nothing for prefixes, three quotes and escapes of braces.
struct Literal {
  char quote = '"';
  std::string_view text;
};
std::optional<Literal> literal_of(std::string_view source, const Node& node, std::string_view prefix) {
  std::string_view text = node.text(source);
  if (!node.is("string") || !is_one_line(node) || !text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.size() < 2 || (text[0] != '"' && text[0] != '\'') || text.starts_with("\"\"\"")) return std::nullopt;
  return Literal{text[0], text.substr(1, text.size() - 2)};
}

// May the expression stand in the braces of an f-string with that quote, and mean the same there?
bool fits(std::string_view source, const Node& value, char quote) {
  constexpr std::array<std::string_view, 6> kKinds = {"identifier", "attribute",       "call",
                                                      "subscript",  "binary_operator", "integer"};
  const std::string_view text = value.text(source);
  return is_one_line(value) && text.find(quote) == text.npos && text.find_first_of("\\{}") == text.npos &&
         std::ranges::any_of(kKinds, [&value](std::string_view kind) { return value.is(kind); });
}

std::string f_string(const Template& parts) {
  std::string text = fmt::format("f{}{}", parts.quote, parts.texts[0]);
  for (std::size_t i = 0; i < parts.values.size(); ++i) {
    text += fmt::format("{{{}}}{}", parts.values[i], parts.texts[i + 1]);
  }
  return text + parts.quote;
}

// Splits at each `hole`. Nothing where the rest has what only looks like one.
bool split(std::string_view text, std::string_view hole, std::string_view forbidden, Template& parts) {
  for (;;) {
    const std::size_t at = text.find(hole);
    const std::string_view piece = text.substr(0, at);
    if (piece.find_first_of(forbidden) != piece.npos) return false;
    parts.texts.back() += piece;
    if (at == text.npos) return true;
    parts.texts.emplace_back();
    text.remove_prefix(at + hole.size());
  }
}

bool fill(std::string_view source, const std::vector<Node>& values, Template& parts) {
  if (values.empty() || parts.texts.size() != values.size() + 1) return false;
  for (const Node& value : values) {
    if (!fits(source, value, parts.quote)) return false;
    parts.values.emplace_back(value.text(source));
  }
  return true;
}

std::vector<Node> children_of(const Node& node) {
  std::vector<Node> children;
  for (std::size_t i = 0; i < node.named_children(); ++i) children.push_back(node.named_child(i));
  return children;
}

// "… {} …".format(a, b)
std::optional<Template> of_format(std::string_view source, const Node& node) {
  const Node function = node.field("function");
  const auto literal = literal_of(source, function.field("object"), "");
  if (!node.is("call") || function.field("attribute").text(source) != "format" || !literal) return std::nullopt;
  Template parts{literal->quote, {""}, {}};
  if (!split(literal->text, "{}", "{}", parts)) return std::nullopt;
  return fill(source, children_of(node.field("arguments")), parts) ? std::optional(parts) : std::nullopt;
}

// "… %s …" % (a, b)
std::optional<Template> of_percent(std::string_view source, const Node& node) {
  const Node right = node.field("right");
  const auto literal = literal_of(source, node.field("left"), "");
  if (!node.is("binary_operator") || node.field("operator").text(source) != "%" || !literal) return std::nullopt;
  Template parts{literal->quote, {""}, {}};
  if (!split(literal->text, "%s", "%{}", parts)) return std::nullopt;
  const auto values = right.is("tuple") ? children_of(right) : std::vector<Node>{right};
  return fill(source, values, parts) ? std::optional(parts) : std::nullopt;
}

// "… " + str(a) + " …"
std::optional<Template> of_sum(std::string_view source, const Node& node) {
  std::vector<Node> terms;
  Node at = node;
  for (; at.is("binary_operator") && at.field("operator").text(source) == "+"; at = at.field("left")) {
    terms.push_back(at.field("right"));
  }
  terms.push_back(at);
  std::ranges::reverse(terms);
  Template parts;
  std::vector<Node> values;
  bool quoted = false;
  for (const Node& term : terms) {
    if (const auto literal = literal_of(source, term, "")) {
      if (quoted && literal->quote != parts.quote) return std::nullopt;
      quoted = true;
      parts.quote = literal->quote;
      if (literal->text.find_first_of("{}") != literal->text.npos) return std::nullopt;
      parts.texts.back() += literal->text;
      continue;
    }
    const Node arguments = term.field("arguments");
    if (term.field("function").text(source) != "str" || arguments.named_children() != 1) return std::nullopt;
    values.push_back(arguments.named_child(0));
    parts.texts.emplace_back();
  }
  return quoted && fill(source, values, parts) ? std::optional(parts) : std::nullopt;
}

// An f-string of texts and plain values.
std::optional<Template> of_f_string(std::string_view source, const Node& node) {
  const auto literal = literal_of(source, node, "f");
  if (!literal || node.parent().is("concatenated_string")) return std::nullopt;
  Template parts{literal->quote, {""}, {}};
  std::vector<Node> values;
  for (const Node& child : children_of(node)) {
    const std::string_view text = child.text(source);
    if (child.is("interpolation")) {
      if (child.named_children() != 1 || text.find('=') != text.npos) return std::nullopt;
      values.push_back(child.named_child(0));
      parts.texts.emplace_back();
    } else if (child.is("string_content")) {
      if (text.find_first_of("{}%") != text.npos) return std::nullopt;
      parts.texts.back() += text;
    }
  }
  return fill(source, values, parts) ? std::optional(parts) : std::nullopt;
}

std::string clumsy(const Template& parts, Random& random) {
  const auto literal = [&parts](std::string_view text) { return fmt::format("{0}{1}{0}", parts.quote, text); };
  const std::uint64_t way = random.below(3);
  std::string text, values;
  for (std::size_t i = 0; i < parts.texts.size(); ++i) {
    if (way < 2) {
      text += parts.texts[i];
      if (i < parts.values.size()) text += way == 0 ? "{}" : "%s";
      if (i < parts.values.size()) values += (i == 0 ? "" : ", ") + parts.values[i];
      continue;
    }
    if (!parts.texts[i].empty()) text += (text.empty() ? "" : " + ") + literal(parts.texts[i]);
    if (i < parts.values.size()) text += fmt::format("{}str({})", text.empty() ? "" : " + ", parts.values[i]);
  }
  if (way == 0) return fmt::format("{}.format({})", literal(text), values);
  if (way == 1 && parts.values.size() == 1) return fmt::format("{} % {}", literal(text), values);
  if (way == 1) return fmt::format("{} % ({})", literal(text), values);
  return text;
}

bool is_simple_statement(const Node& statement) {
  constexpr std::array<std::string_view, 4> kKinds = {"expression_statement", "return_statement", "raise_statement",
                                                      "assert_statement"};
  return std::ranges::any_of(kKinds, [&statement](std::string_view kind) { return statement.is(kind); });
}

Rewrite replaced(std::string_view source, const Node& statement, const Node& part, std::string_view text) {
  return {statement.range(), fmt::format("{}{}{}", source.substr(statement.begin(), part.begin() - statement.begin()),
                                         text, source.substr(part.end(), statement.end() - part.end()))};
}

}  // namespace

Found to_augmented_assignment(std::string_view source, const Node& statement) {
  const Node assignment = plain_assignment(statement), left = assignment.field("left"), sum = assignment.field("right");
  if (!sum.is("binary_operator") || sum.field("left").text(source) != left.text(source)) return std::nullopt;
  const std::string_view sign = sum.field("operator").text(source);
  Node value = sum.field("right");
  if (value.is("parenthesized_expression")) value = value.named_child(0);
  if (std::ranges::count(kAugmented, sign) == 0 || value.is("list") || has_comment(statement)) return std::nullopt;
  return Rewrite{statement.range(), fmt::format("{} {}= {}", left.text(source), sign, value.text(source))};
}

Found from_augmented_assignment(std::string_view source, const Node& statement, Random&) {
  const Node assignment = statement.child(0), left = assignment.field("left"), value = assignment.field("right");
  std::string_view sign = assignment.field("operator").text(source);
  if (!statement.is("expression_statement") || !assignment.is("augmented_assignment") || !is_one_line(statement)) {
    return std::nullopt;
  }
  sign.remove_suffix(1);
  constexpr std::array<std::string_view, 7> kAtoms = {"identifier", "attribute", "call",  "subscript",
                                                      "integer",    "float",     "string"};
  const bool atom = std::ranges::any_of(kAtoms, [&value](std::string_view kind) { return value.is(kind); });
  return Rewrite{statement.range(), fmt::format("{0} = {0} {1} {2}{3}{4}", left.text(source), sign, atom ? "" : "(",
                                                value.text(source), atom ? "" : ")")};
}

Found to_f_string(std::string_view source, const Node& statement) {
  if (!is_simple_statement(statement)) return std::nullopt;
  NodeCursor cursor(statement);
  do {
    const Node node = cursor.node();
    for (auto* const recognise : {of_format, of_percent, of_sum}) {
      if (const auto parts = recognise(source, node)) return replaced(source, statement, node, f_string(*parts));
    }
  } while (cursor.next());
  return std::nullopt;
}

Found from_f_string(std::string_view source, const Node& statement, Random& random) {
  if (!is_simple_statement(statement)) return std::nullopt;
  NodeCursor cursor(statement);
  do {
    const Node node = cursor.node();
    const auto parts = of_f_string(source, node);
    if (parts) return replaced(source, statement, node, clumsy(*parts, random));
  } while (cursor.next());
  return std::nullopt;
}

}  // namespace weft::adapters::refactoring
