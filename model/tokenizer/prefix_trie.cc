#include "model/tokenizer/prefix_trie.h"

#include <algorithm>
#include <utility>

namespace weft::model {

PrefixTrie::PrefixTrie(const Tokenizer& tokenizer) {
  std::vector<ByteTrie::Entry> entries;
  for (std::int32_t id = 0; std::cmp_less(id, tokenizer.vocabulary()); ++id) {
    const std::string_view bytes = tokenizer.bytes(TokenId(id));
    if (!bytes.empty()) entries.push_back({std::string(bytes), id});
    longest_ = std::max(longest_, bytes.size());
  }
  trie_ = ByteTrie(std::move(entries));
  ids_.reserve(trie_.entries().size());
  for (const ByteTrie::Entry& entry : trie_.entries()) ids_.emplace_back(entry.value);
}

PrefixTrie::Allowed PrefixTrie::allowed(std::string_view remainder) const {
  Allowed out;
  ByteTrie::Node node = trie_.root();
  for (const char byte : remainder) {
    for (std::size_t i = node.begin; i < trie_.ends(node); ++i) out.parts.push_back(ids_[i]);
    node = trie_.child(node, byte);
    if (node.empty()) return out;
  }
  out.extensions = std::span(ids_).subspan(node.begin, node.end - node.begin);
  return out;
}

bool PrefixTrie::crosses(std::string_view left, std::string_view right) const {
  const std::size_t reach = std::min(left.size(), longest_);
  for (std::size_t begin = left.size() - reach; begin < left.size(); ++begin) {
    ByteTrie::Node node = trie_.root();
    for (const char byte : left.substr(begin)) {
      node = trie_.child(node, byte);
      if (node.empty()) break;
    }
    for (const char byte : right) {
      if (node.empty()) break;
      node = trie_.child(node, byte);
      if (trie_.ends(node) > node.begin) return true;
    }
    if (trie_.ends(node) < node.end) return true;
  }
  return false;
}

}  // namespace weft::model
