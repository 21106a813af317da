#include "adapters/tasks/function_from_comment.h"

#include <algorithm>

#include "adapters/tasks/descriptions.h"
#include "adapters/tasks/function_place.h"
#include "adapters/tasks/lines.h"
#include "generation/syntax/functions.h"
#include "generation/syntax/node.h"
#include "generation/syntax/scanner.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::CodeScanner;
using generation::Language;
using generation::Node;
using generation::SyntaxTree;

constexpr std::size_t kIndentation = 4;  // of a body, where nothing says otherwise

std::size_t first_line_margin(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    if (!trimmed(line).empty()) return margin_of(line).size();
  }
  return 0;
}

// From the first decorator or `def` to where a line stands that no longer belongs to it. Comments and blank lines
// before it are left out.
std::string one_function(const Language& language, std::string_view text) {
  CodeScanner scanner(language);
  std::string function;
  std::size_t margin = 0;
  bool begun = false, signature_seen = false;
  for (const std::string_view line : lines_of(text)) {
    const bool rests = scanner.at_rest();
    const bool blank = trimmed(line).empty();
    if (!begun && (blank || trimmed(line).starts_with(language.line_comment))) continue;
    if (!begun) margin = margin_of(line).size();
    if (rests && !blank && signature_seen && margin_of(line).size() <= margin) break;
    begun = true;
    signature_seen = signature_seen || (rests && begins_function(line));
    function.append(line) += '\n';
    scanner.feed(function.substr(function.size() - line.size() - 1));
  }
  function.resize(function.find_last_not_of(" \t\n") + 1);  // npos + 1: nothing
  return function;
}

// Moves lines by that many columns. What stands in a string of many lines is left alone, but for docstrings.
std::string moved(const Language& language, std::string_view text, std::ptrdiff_t columns) {
  CodeScanner scanner(language);
  std::string out;
  bool in_docstring = false, docstring_may_come = true;
  for (const std::string_view line : lines_of(text)) {
    const bool in_string = scanner.in_long_string();
    const std::string_view code = trimmed(line);
    if (!in_string) {
      in_docstring = docstring_may_come && code.find_first_of("\"'") < 2;
      docstring_may_come = docstring_may_come && (begins_function(line) || !scanner.at_rest() || code.starts_with('@'));
    }
    std::string_view rest = line;
    if (!code.empty() && (!in_string || in_docstring)) {
      if (columns > 0) out.append(static_cast<std::size_t>(columns), ' ');
      if (columns < 0) rest.remove_prefix(std::min(margin_of(line).size(), static_cast<std::size_t>(-columns)));
    }
    out.append(rest) += '\n';
    scanner.feed(line);
    scanner.feed("\n");
  }
  if (!out.empty()) out.pop_back();
  return out;
}

// The answer below the signature, deep enough to be its body.
std::string under_signature(const Language& language, const FunctionRequestPlace& place, std::string_view answer) {
  std::string text = indented(place.signature, place.indentation) + "\n";
  const auto lines = lines_of(place.signature);
  const bool documented = lines.size() > 1 && !margin_of(lines.back()).empty();
  const std::size_t deep = place.indentation + (documented ? margin_of(lines.back()).size() : kIndentation);
  const std::size_t given = first_line_margin(answer);
  const bool shallow = given <= place.indentation;
  text += shallow ? moved(language, answer, static_cast<std::ptrdiff_t>(deep) - static_cast<std::ptrdiff_t>(given))
                  : std::string(answer);
  return text;
}

// Decorators, and a comment right above a signature.
bool belongs_to_next(const FunctionRequestPlace& place) {
  const std::string_view last = trimmed(lines_of(place.context).back());
  return !place.signature.empty() && (last.starts_with('@') || last.starts_with('#'));
}

// Inside a block, so that indented code is what it would be at its place.
bool is_one_function(const Language& language, std::string_view code) {
  const bool inner = !margin_of(code).empty();
  const std::string text = (inner ? "if True:\n" : "") + std::string(code);
  const auto tree = SyntaxTree::parse(language, text);
  if (!tree || tree->root().has_error()) return false;
  Node holder = tree->root();
  if (inner) holder = holder.named_child(0).field("consequence");
  const auto functions = functions_of(language, *tree, text);
  if (holder.named_children() != 1 || functions.empty()) return false;
  const auto& function = functions.front();
  return function.whole == holder.named_child(0).range() &&
         (!function.docstring || function.docstring->end < function.body.end);
}

}  // namespace

FunctionRequestPlace place_of_description(std::string_view description) {
  FunctionRequestPlace place;
  place.description = std::string(trimmed(description));
  place.title = "Generate function";
  return place;
}

std::string function_prompt(const FunctionRequestPlace& place) {
  std::string prompt = place.context;
  if (!prompt.empty()) prompt += belongs_to_next(place) ? "\n" : place.indentation == 0 ? "\n\n\n" : "\n\n";
  std::string asked = place.signature;
  if (asked.empty()) {
    for (const std::string_view line : lines_of(place.description)) {
      asked.append(asked.empty() ? "# " : "\n# ").append(trimmed(line));
    }
  }
  return prompt + indented(asked, place.indentation) + "\n";
}

ParsedFunction parse_function_answer(const Language& language, const FunctionRequestPlace& place,
                                     std::string_view answer) {
  std::string function =
      one_function(language, place.signature.empty() ? std::string(answer) : under_signature(language, place, answer));
  const auto wrong =
      static_cast<std::ptrdiff_t>(place.indentation) - static_cast<std::ptrdiff_t>(first_line_margin(function));
  if (wrong != 0) function = moved(language, function, wrong);
  ParsedFunction parsed;
  parsed.parses = is_one_function(language, function);
  parsed.code = place.kept + function;
  return parsed;
}

}  // namespace weft::adapters
