// SyntaxTree: one parse of one text by tree-sitter, and the questions that completion asks of it. Offsets are bytes.
// Immutable after parse; safe to read from several threads.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "generation/syntax/language.h"
#include "model/base/expected.h"

struct TSTree;

namespace weft::generation {

struct ParseLimits {
  std::size_t limit_bytes = 2 << 20;
  double timeout_ms = 200;  // of the thread's own time: what is found does not depend on how busy the machine is
};

struct ByteRange {
  std::size_t begin = 0, end = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// One stretch of a text replaced: old bytes [begin, old_end) became new bytes [begin, new_end).
struct TextEdit {
  std::size_t begin = 0, old_end = 0, new_end = 0;
};

class Node;  // node.h

enum class TextKind { kCode, kComment, kString };

class SyntaxTree {
 public:
  // Errors: a language without grammar, a text over the limit, a time-out, a grammar of another version.
  static Expected<SyntaxTree> parse(const Language& language, std::string_view text, ParseLimits limits = {});

  // The tree of the text after an edit, from this one: it costs what the edit changes, not what the text is long. This
  // tree stays as it is. `old_text` is what it was parsed from. Errors: as parse.
  [[nodiscard]] Expected<SyntaxTree> edited(std::string_view old_text, std::string_view new_text, TextEdit edit,
                                            ParseLimits limits = {}) const;

  // Valid while this tree lives.
  [[nodiscard]] Node root() const;
  // ERROR and MISSING nodes that touch the range.
  [[nodiscard]] std::size_t errors_in(ByteRange range) const;
  // Where the first of them begins that begins in the range.
  [[nodiscard]] std::optional<std::size_t> first_error_in(ByteRange range) const;
  // The innermost block that holds the offset; none only for an empty text.
  [[nodiscard]] std::optional<ByteRange> enclosing_block(std::size_t offset) const;
  // What a character typed at the offset would become part of.
  [[nodiscard]] TextKind kind_at(std::size_t offset) const;

 private:
  struct Deleter {
    void operator()(TSTree* tree) const;
  };
  SyntaxTree(const Language& language, TSTree* tree) : language_(&language), tree_(tree) {}
  const Language* language_;
  std::unique_ptr<TSTree, Deleter> tree_;
};

}  // namespace weft::generation
