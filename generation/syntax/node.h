// Node: one node of a SyntaxTree, as rules on code read it. Cheap to copy; valid while its tree lives. A null node
// answers every question with nothing. Offsets are bytes. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include <tree_sitter/api.h>

#include "generation/syntax/tree.h"

namespace weft::generation {

class Node {
 public:
  Node() = default;
  explicit Node(TSNode node) : node_(node) {}

  [[nodiscard]] bool null() const { return node_.id == nullptr; }
  [[nodiscard]] std::string_view kind() const { return null() ? "" : ts_node_type(node_); }
  [[nodiscard]] bool is(std::string_view kind) const { return this->kind() == kind; }
  [[nodiscard]] bool named() const { return !null() && ts_node_is_named(node_); }
  // ERROR or MISSING in or below it.
  [[nodiscard]] bool has_error() const { return null() || ts_node_has_error(node_); }

  [[nodiscard]] ByteRange range() const { return null() ? ByteRange{} : ByteRange{begin(), end()}; }
  [[nodiscard]] std::size_t begin() const { return null() ? 0 : ts_node_start_byte(node_); }
  [[nodiscard]] std::size_t end() const { return null() ? 0 : ts_node_end_byte(node_); }
  // From 0.
  [[nodiscard]] std::size_t first_row() const { return null() ? 0 : ts_node_start_point(node_).row; }
  [[nodiscard]] std::size_t last_row() const { return null() ? 0 : ts_node_end_point(node_).row; }
  // `source`: the text that was parsed.
  [[nodiscard]] std::string_view text(std::string_view source) const { return source.substr(begin(), end() - begin()); }

  [[nodiscard]] Node parent() const { return null() ? Node() : Node(ts_node_parent(node_)); }
  [[nodiscard]] Node field(std::string_view name) const {
    return null() ? Node()
                  : Node(ts_node_child_by_field_name(node_, name.data(), static_cast<std::uint32_t>(name.size())));
  }
  [[nodiscard]] std::size_t children() const { return null() ? 0 : ts_node_child_count(node_); }
  [[nodiscard]] Node child(std::size_t index) const {
    return null() ? Node() : Node(ts_node_child(node_, static_cast<std::uint32_t>(index)));
  }
  // Named children: without punctuation and keywords. Comments are among them.
  [[nodiscard]] std::size_t named_children() const { return null() ? 0 : ts_node_named_child_count(node_); }
  [[nodiscard]] Node named_child(std::size_t index) const {
    return null() ? Node() : Node(ts_node_named_child(node_, static_cast<std::uint32_t>(index)));
  }
  [[nodiscard]] Node next_named() const { return null() ? Node() : Node(ts_node_next_named_sibling(node_)); }
  [[nodiscard]] Node previous_named() const { return null() ? Node() : Node(ts_node_prev_named_sibling(node_)); }
  // The smallest named node that holds the bytes.
  [[nodiscard]] Node smallest(ByteRange bytes) const {
    return null() ? Node()
                  : Node(ts_node_named_descendant_for_byte_range(node_, static_cast<std::uint32_t>(bytes.begin),
                                                                 static_cast<std::uint32_t>(bytes.end)));
  }

  [[nodiscard]] const TSNode& raw() const { return node_; }
  friend bool operator==(const Node& a, const Node& b) { return ts_node_eq(a.node_, b.node_); }

 private:
  TSNode node_{};
};

// Goes over a tree without recursion: a text may be nested as deeply as it likes.
class NodeCursor {
 public:
  // At `root`, not null; never leaves it.
  explicit NodeCursor(const Node& root) : cursor_(ts_tree_cursor_new(root.raw())) {}
  ~NodeCursor() { ts_tree_cursor_delete(&cursor_); }
  NodeCursor(const NodeCursor&) = delete;
  NodeCursor& operator=(const NodeCursor&) = delete;

  [[nodiscard]] Node node() const { return Node(ts_tree_cursor_current_node(&cursor_)); }
  // To the next node in the order of the text, parents first; false at the end.
  bool next() { return ts_tree_cursor_goto_first_child(&cursor_) || skip(); }
  // The same, past what is below this node.
  bool skip() {
    while (!ts_tree_cursor_goto_next_sibling(&cursor_)) {
      if (!ts_tree_cursor_goto_parent(&cursor_)) return false;
    }
    return true;
  }

 private:
  TSTreeCursor cursor_;
};

}  // namespace weft::generation
