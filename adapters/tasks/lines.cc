#include "adapters/tasks/lines.h"

#include <algorithm>

#include "generation/syntax/node.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::Language;
using generation::Node;
using generation::NodeCursor;
using generation::SyntaxTree;

constexpr std::string_view kBlanks = " \t\r\n\f";

std::size_t statements_in(const Node& block) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < block.named_children(); ++i) count += block.named_child(i).is("comment") ? 0 : 1;
  return count;
}

// The leaves' texts. Blocks are in it too: that a statement is inside is not seen in its tokens.
std::vector<std::string> tokens_of(const Language& language, const SyntaxTree& tree, std::string_view text) {
  std::vector<std::string> tokens;
  NodeCursor cursor(tree.root());
  for (bool more = true; more;) {
    const Node node = cursor.node();
    const auto is_kind = [&node](std::string_view kind) { return node.is(kind); };
    const bool comment = std::ranges::any_of(language.comment_nodes, is_kind);
    const bool whole = std::ranges::any_of(language.string_nodes, is_kind) || node.children() == 0;
    if (std::ranges::any_of(language.block_nodes, is_kind)) {
      tokens.push_back("block of " + std::to_string(statements_in(node)));
    } else if (whole && !comment) {
      tokens.emplace_back(node.text(text));
    }
    more = whole || comment ? cursor.skip() : cursor.next();
  }
  return tokens;
}

}  // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::string_view margin_of(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

std::string without_indentation(std::string_view text) {
  const auto lines = lines_of(text);
  std::optional<std::string_view> common;
  for (const std::string_view line : lines) {
    if (trimmed(line).empty()) continue;
    const std::string_view margin = margin_of(line);
    if (!common) common = margin;
    const auto same = std::ranges::mismatch(*common, margin).in1;
    common = common->substr(0, static_cast<std::size_t>(same - common->begin()));
  }
  std::string out;
  for (const std::string_view line : lines) {
    if (!trimmed(line).empty()) out += line.substr(common->size());
    out += '\n';
  }
  out.resize(out.find_last_not_of(kBlanks) + 1);  // npos + 1: nothing but blanks
  return out;
}

std::string indented(std::string_view text, std::size_t columns) {
  std::string out;
  for (const std::string_view line : lines_of(text)) {
    if (!out.empty() || line.data() != text.data()) out += '\n';
    if (!trimmed(line).empty()) out.append(columns, ' ').append(line);
  }
  return out;
}

ByteRange from_line_begin(std::string_view text, ByteRange range) {
  const std::string_view before = text.substr(0, range.begin);
  return {before.rfind('\n') + 1, range.end};  // npos + 1: the text's beginning
}

std::string function_text(std::string_view text, const generation::FunctionParts& parts) {
  const ByteRange range = from_line_begin(text, parts.whole);
  return without_indentation(text.substr(range.begin, range.end - range.begin));
}

bool same_code(const Language& language, std::string_view a, std::string_view b) {
  const auto first = SyntaxTree::parse(language, a);
  const auto second = SyntaxTree::parse(language, b);
  if (!first || !second || first->root().has_error() || second->root().has_error()) return false;
  return tokens_of(language, *first, a) == tokens_of(language, *second, b);
}

bool parses(const Language& language, std::string_view text) {
  const auto tree = SyntaxTree::parse(language, text);
  return tree && !tree->root().has_error();
}

}  // namespace weft::adapters
