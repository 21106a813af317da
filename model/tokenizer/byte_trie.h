// ByteTrie: strings in order, walked byte by byte. A node is the range of strings that begin with the bytes walked so
// far; those that end there come first. Immutable, thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::model {

class ByteTrie {
 public:
  struct Node {
    std::size_t begin = 0, end = 0;  // indices of `entries`
    std::size_t depth = 0;           // bytes walked
    [[nodiscard]] bool empty() const { return begin == end; }
  };
  struct Entry {
    std::string text;
    std::int32_t value;
  };

  ByteTrie() = default;
  explicit ByteTrie(std::vector<Entry> entries) : entries_(std::move(entries)) {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.text != b.text ? a.text < b.text : a.value < b.value; });
    for (const Entry& entry : entries_) {
      if (!entry.text.empty()) begins_[static_cast<unsigned char>(entry.text.front())] = true;
    }
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] Node root() const { return {0, entries_.size(), 0}; }
  // Where the strings that are `node` itself end and longer ones begin.
  [[nodiscard]] std::size_t ends(Node node) const {
    while (node.begin < node.end && entries_[node.begin].text.size() == node.depth) ++node.begin;
    return node.begin;
  }
  // O(log of the node's size).
  [[nodiscard]] Node child(Node node, char byte) const {
    node.begin = ends(node);
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(entries_[i].text[node.depth]); };
    const auto bound = [&](int least) {
      std::size_t low = node.begin, high = node.end;
      while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (at(middle) < least) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    };
    const int value = static_cast<unsigned char>(byte);
    return {bound(value), bound(value + 1), node.depth + 1};
  }
  // The longest string that `text` begins with, as an index of `entries`; entries().size(): none.
  [[nodiscard]] std::size_t longest(std::string_view text) const {
    std::size_t found = entries_.size();
    if (text.empty() || !begins_[static_cast<unsigned char>(text.front())]) return found;
    Node node = root();
    for (const char byte : text) {
      node = child(node, byte);
      if (node.empty()) break;
      if (ends(node) > node.begin) found = node.begin;
    }
    return found;
  }

 private:
  std::vector<Entry> entries_;      // std::string compares as unsigned bytes
  std::array<bool, 256> begins_{};  // by first byte
};

}  // namespace weft::model
