#include "generation/syntax/tree.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>

#include <tree_sitter/api.h>

#include "generation/syntax/node.h"

namespace weft::generation {
namespace {

using ParserHandle = std::unique_ptr<TSParser, decltype(&ts_parser_delete)>;

struct Source {
  std::string_view text;
};

const char* read_source(void* payload, std::uint32_t offset, TSPoint, std::uint32_t* bytes_read) {
  const std::string_view text = static_cast<const Source*>(payload)->text;
  const std::size_t begin = std::min<std::size_t>(offset, text.size());
  *bytes_read = static_cast<std::uint32_t>(text.size() - begin);
  return text.data() + begin;
}

double own_time_ms() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

struct Deadline {
  double end_ms;  // in the thread's own time
};

bool past_deadline(TSParseState* state) { return own_time_ms() > static_cast<const Deadline*>(state->payload)->end_ms; }

bool contains(std::span<const std::string_view> kinds, std::string_view kind) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

TSPoint point_of(std::string_view text, std::size_t offset) {
  text = text.substr(0, offset);
  const auto rows = static_cast<std::uint32_t>(std::ranges::count(text, '\n'));
  return {rows, static_cast<std::uint32_t>(text.size() - (text.rfind('\n') + 1))};  // npos + 1: the text's beginning
}

// `old_tree` may be null.
Expected<TSTree*> parse_text(const Language& language, std::string_view text, const TSTree* old_tree,
                             const ParseLimits& limits) {
  if (text.size() > limits.limit_bytes) {
    return make_error("text of {} bytes is over the parse limit of {}", text.size(), limits.limit_bytes);
  }
  if (language.grammar == nullptr) return make_error("no grammar for this language");
  const ParserHandle parser(ts_parser_new(), ts_parser_delete);
  if (!ts_parser_set_language(parser.get(), language.grammar())) {
    return make_error("the grammar of {} is of a version that this tree-sitter does not read", language.name);
  }
  Source source{text};
  Deadline deadline{own_time_ms() + limits.timeout_ms};
  TSInput input{};
  input.payload = &source;
  input.read = read_source;
  input.encoding = TSInputEncodingUTF8;
  const TSParseOptions options{.payload = &deadline, .progress_callback = past_deadline};
  TSTree* tree = ts_parser_parse_with_options(parser.get(), old_tree, input, options);
  if (tree == nullptr) return make_error("parsing {} bytes took longer than {} ms", text.size(), limits.timeout_ms);
  return tree;
}

ByteRange range_of(TSNode node) { return {ts_node_start_byte(node), ts_node_end_byte(node)}; }

// Only subtrees that hold an error are walked, so that a large sound file costs nothing.
std::size_t count_errors(TSNode node, ByteRange range) {
  const ByteRange own = range_of(node);
  if (own.end < range.begin || own.begin > range.end) return 0;
  std::size_t count = ts_node_is_error(node) || ts_node_is_missing(node) ? 1 : 0;
  if (!ts_node_has_error(node)) return count;
  const std::uint32_t children = ts_node_child_count(node);
  bool hidden = count == 0;  // what is missing may be a line end, which is no node to be seen
  for (std::uint32_t i = 0; i < children; ++i) {
    const TSNode child = ts_node_child(node, i);
    hidden = hidden && !ts_node_has_error(child) && !ts_node_is_missing(child);
    count += count_errors(child, range);
  }
  return hidden ? count + 1 : count;
}

void find_first_error(TSNode node, ByteRange range, std::optional<std::size_t>& first) {
  const ByteRange own = range_of(node);
  if (own.end < range.begin || own.begin >= std::min(range.end, first.value_or(range.end))) return;
  const bool wrong = ts_node_is_error(node) || ts_node_is_missing(node);
  if (wrong && own.begin >= range.begin) {
    first = own.begin;
    return;
  }
  if (!ts_node_has_error(node)) return;
  const std::uint32_t children = ts_node_child_count(node);
  for (std::uint32_t i = 0; i < children; ++i) find_first_error(ts_node_child(node, i), range, first);
}

}  // namespace

void SyntaxTree::Deleter::operator()(TSTree* tree) const { ts_tree_delete(tree); }

Expected<SyntaxTree> SyntaxTree::parse(const Language& language, std::string_view text, ParseLimits limits) {
  const auto tree = parse_text(language, text, nullptr, limits);
  if (!tree) return tree.error();
  return SyntaxTree(language, *tree);
}

Expected<SyntaxTree> SyntaxTree::edited(std::string_view old_text, std::string_view new_text, TextEdit edit,
                                        ParseLimits limits) const {
  const TSInputEdit change{.start_byte = static_cast<std::uint32_t>(edit.begin),
                           .old_end_byte = static_cast<std::uint32_t>(edit.old_end),
                           .new_end_byte = static_cast<std::uint32_t>(edit.new_end),
                           .start_point = point_of(old_text, edit.begin),
                           .old_end_point = point_of(old_text, edit.old_end),
                           .new_end_point = point_of(new_text, edit.new_end)};
  const std::unique_ptr<TSTree, Deleter> old_tree(ts_tree_copy(tree_.get()));
  ts_tree_edit(old_tree.get(), &change);
  const auto tree = parse_text(*language_, new_text, old_tree.get(), limits);
  if (!tree) return tree.error();
  return SyntaxTree(*language_, *tree);
}

Node SyntaxTree::root() const { return Node(ts_tree_root_node(tree_.get())); }

std::size_t SyntaxTree::errors_in(ByteRange range) const { return count_errors(ts_tree_root_node(tree_.get()), range); }

std::optional<std::size_t> SyntaxTree::first_error_in(ByteRange range) const {
  std::optional<std::size_t> first;
  find_first_error(ts_tree_root_node(tree_.get()), range, first);
  return first;
}

std::optional<ByteRange> SyntaxTree::enclosing_block(std::size_t offset) const {
  const auto at = static_cast<std::uint32_t>(offset);
  TSNode node = ts_node_descendant_for_byte_range(ts_tree_root_node(tree_.get()), at, at);
  while (!ts_node_is_null(node)) {
    if (contains(language_->block_nodes, ts_node_type(node))) return range_of(node);
    node = ts_node_parent(node);
  }
  return std::nullopt;
}

TextKind SyntaxTree::kind_at(std::size_t offset) const {
  // The character before the offset decides whether a comment goes on; a string must hold both sides.
  const auto at = static_cast<std::uint32_t>(offset);
  const std::uint32_t before = at > 0 ? at - 1 : 0;
  TSNode node = ts_node_descendant_for_byte_range(ts_tree_root_node(tree_.get()), before, at);
  for (; !ts_node_is_null(node); node = ts_node_parent(node)) {
    const ByteRange own = range_of(node);
    if (contains(language_->string_nodes, ts_node_type(node)) && own.begin < offset && offset < own.end) {
      return TextKind::kString;
    }
  }
  node = ts_node_descendant_for_byte_range(ts_tree_root_node(tree_.get()), before, before);
  for (; !ts_node_is_null(node); node = ts_node_parent(node)) {
    const ByteRange own = range_of(node);
    if (contains(language_->comment_nodes, ts_node_type(node)) && own.begin < offset && offset <= own.end) {
      return TextKind::kComment;
    }
  }
  return TextKind::kCode;
}

}  // namespace weft::generation
