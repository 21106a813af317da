#include "generation/prefix_cache.h"

#include <algorithm>
#include <set>

#include "model/base/check.h"

namespace weft::generation {

// A run of tokens behind those of the parent. Only a root has none; only leaves have a sequence.
struct PrefixCache::Node {
  Node* parent = nullptr;
  std::vector<TokenId> tokens;
  std::size_t depth = 0;  // tokens from the root to this node's end
  std::map<TokenId, std::unique_ptr<Node>> children;
  std::optional<SequenceId> sequence;
  std::uint64_t used = 0;
  std::shared_ptr<std::size_t> pins = std::make_shared<std::size_t>(0);

  [[nodiscard]] bool is_leaf() const { return children.empty() && parent != nullptr; }

  template <class Visit>
  void each_leaf(const Visit& visit) {
    if (is_leaf()) visit(*this);
    for (const auto& [token, child] : children) child->each_leaf(visit);
  }
};

struct PrefixCache::Place {
  Node* node;           // the last one that agrees with at least one token, or the root
  std::size_t in_node;  // tokens of it that agree
  std::size_t length;   // tokens from the root
  [[nodiscard]] bool at_end() const { return in_node == node->tokens.size(); }
};

PrefixCache::PrefixCache(NewSequence new_sequence) : new_sequence_(std::move(new_sequence)) {}
PrefixCache::~PrefixCache() = default;

PrefixCache::Place PrefixCache::find(Node& root, std::span<const TokenId> tokens) {
  ++time_;
  Place place{&root, 0, 0};
  while (place.at_end() && place.length < tokens.size()) {
    const auto child = place.node->children.find(tokens[place.length]);
    if (child == place.node->children.end()) break;
    Node& node = *child->second;
    const auto rest = tokens.subspan(place.length);
    const auto agreeing = static_cast<std::size_t>(std::ranges::mismatch(node.tokens, rest).in1 - node.tokens.begin());
    node.used = time_;
    place = {&node, agreeing, place.length + agreeing};
  }
  return place;
}

PrefixCache::Match PrefixCache::match(AdapterId adapter, std::span<const TokenId> tokens) {
  const auto root = roots_.find(adapter);
  if (root == roots_.end()) return {};
  const Place place = find(*root->second, tokens);
  if (place.length == 0) return {};
  const Node* leaf = place.node;
  while (!leaf->is_leaf()) {
    leaf = std::ranges::max_element(leaf->children, {}, [](const auto& child) {
             return child.second->used;
           })->second.get();
  }
  return {place.length, *leaf->sequence, Pin(place.node->pins)};
}

// The first `length` tokens of the node become a node of their own above it. Pins stay with what is below, which keeps
// what is above.
PrefixCache::Node& PrefixCache::split(Node& node, std::size_t length) {
  Node& parent = *node.parent;
  std::unique_ptr<Node>& slot = parent.children.at(node.tokens.front());
  std::unique_ptr<Node> lower = std::move(slot);
  slot = std::make_unique<Node>();
  Node& upper = *slot;
  const auto cut = node.tokens.begin() + static_cast<std::ptrdiff_t>(length);
  upper.parent = &parent;
  upper.tokens.assign(node.tokens.begin(), cut);
  upper.depth = parent.depth + length;
  upper.used = node.used;
  node.tokens.erase(node.tokens.begin(), cut);
  node.parent = &upper;
  upper.children.emplace(node.tokens.front(), std::move(lower));
  return upper;
}

PrefixCache::Node& PrefixCache::add_leaf(Node& parent, std::span<const TokenId> tokens) {
  auto leaf = std::make_unique<Node>();
  leaf->parent = &parent;
  leaf->tokens.assign(tokens.begin(), tokens.end());
  leaf->depth = parent.depth + tokens.size();
  leaf->used = time_;
  return *parent.children.emplace(tokens.front(), std::move(leaf)).first->second;
}

void PrefixCache::insert(AdapterId adapter, std::span<const TokenId> tokens, SequenceId sequence) {
  WEFT_CHECK(!tokens.empty());
  std::unique_ptr<Node>& root = roots_[adapter];
  if (root == nullptr) root = std::make_unique<Node>();
  const Place place = find(*root, tokens);
  const auto rest = tokens.subspan(place.length);
  if (rest.empty()) {  // it is held already
    moves_.released.push_back(sequence);
    return;
  }
  tokens_ += rest.size();
  Node* node = place.node;
  if (place.at_end() && node->is_leaf()) {  // it grows
    moves_.released.push_back(*std::exchange(node->sequence, sequence));
    node->tokens.insert(node->tokens.end(), rest.begin(), rest.end());
    node->depth += rest.size();
    return;
  }
  if (!place.at_end()) node = &split(*node, place.in_node);
  add_leaf(*node, rest).sequence = sequence;
}

// What stands above a leaf without sisters is held by it alone: it gets a sequence of its own before the leaf's goes.
void PrefixCache::remove_leaf(Node& leaf) {
  Node& parent = *leaf.parent;
  const SequenceId sequence = *leaf.sequence;
  tokens_ -= leaf.tokens.size();
  parent.children.erase(TokenId(leaf.tokens.front()));  // the leaf is gone
  if (parent.is_leaf()) {
    parent.sequence = new_sequence_();
    moves_.forks.push_back({sequence, *parent.sequence, Position(static_cast<std::int32_t>(parent.depth))});
  }
  moves_.released.push_back(sequence);
}

std::size_t PrefixCache::evict(std::size_t tokens) {
  std::size_t evicted = 0;
  while (evicted < tokens) {
    Node* oldest = nullptr;
    for (const auto& [adapter, root] : roots_) {
      root->each_leaf([&](Node& leaf) {
        if (*leaf.pins == 0 && (oldest == nullptr || leaf.used < oldest->used)) oldest = &leaf;
      });
    }
    if (oldest == nullptr) break;
    evicted += oldest->tokens.size();
    remove_leaf(*oldest);
  }
  return evicted;
}

void PrefixCache::drop(AdapterId adapter) {
  const auto root = roots_.find(adapter);
  if (root == roots_.end()) return;
  release_below(*root->second);
  roots_.erase(root);
}

void PrefixCache::release_below(const Node& node) {
  tokens_ -= node.tokens.size();
  if (node.sequence) moves_.released.push_back(*node.sequence);
  for (const auto& [token, child] : node.children) release_below(*child);
}

void PrefixCache::clear() {
  for (const auto& [adapter, root] : roots_) release_below(*root);
  roots_.clear();
}

std::vector<PrefixCache::Path> PrefixCache::paths() const {
  std::vector<std::pair<std::uint64_t, Path>> found;
  for (const auto& [adapter, root] : roots_) {
    root->each_leaf([&, of = adapter](const Node& leaf) {
      std::vector<TokenId> tokens(leaf.depth);
      for (const Node* node = &leaf; node->parent != nullptr; node = node->parent) {
        std::ranges::copy(node->tokens,
                          tokens.begin() + static_cast<std::ptrdiff_t>(node->depth - node->tokens.size()));
      }
      found.emplace_back(leaf.used, Path{of, std::move(tokens), *leaf.sequence});
    });
  }
  std::ranges::stable_sort(found, std::greater<>(), [](const auto& each) { return each.first; });
  std::vector<Path> out;
  for (auto& [used, path] : found) out.push_back(std::move(path));
  return out;
}

void PrefixCache::check_invariants() const {
  std::size_t counted = 0;
  std::set<SequenceId> sequences;
  const std::function<void(const Node&)> check = [&](const Node& node) {
    counted += node.tokens.size();
    WEFT_CHECK(node.is_leaf() == node.sequence.has_value());
    if (node.sequence) WEFT_CHECK(sequences.insert(*node.sequence).second);
    for (const auto& [token, child] : node.children) {
      WEFT_CHECK(child->parent == &node && !child->tokens.empty() && child->tokens.front() == token);
      WEFT_CHECK(child->depth == node.depth + child->tokens.size());
      check(*child);
    }
  };
  for (const auto& [adapter, root] : roots_) check(*root);
  WEFT_CHECK(counted == tokens_);
}

}  // namespace weft::generation
