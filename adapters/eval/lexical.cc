#include "adapters/eval/lexical.h"

#include <algorithm>
#include <cctype>

#include "generation/syntax/node.h"

namespace weft::adapters {
namespace {

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

bool in_operator(char c) { return std::string_view("=<>!+-*/%&|^~@:.?").find(c) != std::string_view::npos; }

}  // namespace

std::vector<generation::ByteRange> lexical_tokens(const generation::Language& language,
                                                  const generation::SyntaxTree& tree, generation::ByteRange range) {
  std::vector<generation::ByteRange> tokens;
  generation::NodeCursor cursor(tree.root());
  for (bool more = true; more;) {
    const generation::Node node = cursor.node();
    const generation::ByteRange own = node.range();
    if (own.begin >= range.end) break;
    const bool elsewhere = own.end <= range.begin;
    const bool comment = std::ranges::find(language.comment_nodes, node.kind()) != language.comment_nodes.end();
    const bool whole = own.begin >= range.begin && own.end <= range.end && own.begin < own.end;
    if (node.children() == 0 && whole && !comment) tokens.push_back(own);
    more = elsewhere || comment ? cursor.skip() : cursor.next();
  }
  return tokens;
}

bool begins_with_token(std::string_view text, std::string_view token) {
  if (token.empty() || !text.starts_with(token)) return false;
  if (text.size() == token.size()) return true;
  const char last = token.back(), next = text[token.size()];
  if (in_word(last)) return !in_word(next);
  return !in_operator(last) || (next != '=' && next != last);
}

}  // namespace weft::adapters
