// CodeScanner: brackets, strings, comments and indentation at the end of a text that is still being written.
// A parse tree cannot say this: text that ends in the middle of a statement has no node for what is open. So the
// scanner reads characters, in pieces of any size, by the language's row. Copyable, pure.
// Block rules, on top of it: has the block that held the cursor ended?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "generation/syntax/language.h"
#include "generation/syntax/tree.h"

namespace weft::generation {

class CodeScanner {
 public:
  explicit CodeScanner(const Language& language) : language_(&language) {}

  void feed(std::string_view text);

  [[nodiscard]] TextKind kind() const;
  [[nodiscard]] int depth() const { return static_cast<int>(open_.size()); }
  // What closes the brackets that are open, the innermost first, but for the outermost `left_open`.
  [[nodiscard]] std::string closers(std::size_t left_open) const;
  // What ends the string literal that the text ends in; empty where it ends in none.
  [[nodiscard]] std::string string_end() const;
  // A bracket was closed that nothing had opened.
  [[nodiscard]] bool over_closed() const { return over_closed_; }
  // The line end is escaped.
  [[nodiscard]] bool escaped() const { return escaped_; }
  // In a string that goes on over line ends.
  [[nodiscard]] bool in_long_string() const { return state_ == State::kTriple; }
  // Nothing is open: the next line starts a statement.
  [[nodiscard]] bool at_rest() const { return kind() != TextKind::kString && open_.empty() && !escaped_; }
  // Columns before the statement that is being written; before the end of the text if that is still blank.
  [[nodiscard]] std::size_t indentation() const { return indentation_; }
  [[nodiscard]] bool line_blank() const { return line_blank_; }
  // The statement so far ends with the character that opens a block.
  [[nodiscard]] bool opens_block() const { return at_rest() && !line_blank_ && last_ == language_->block_opener; }

 private:
  enum class State { kCode, kComment, kOpening, kString, kTriple };
  void feed_code(char c);
  void feed_string(char c);
  void feed_triple(char c);
  void feed_opening(char c);
  void end_line();

  const Language* language_;
  State state_ = State::kCode;
  char quote_ = 0;
  int quotes_seen_ = 0;   // in a row, of quote_
  bool escaped_ = false;  // after a backslash
  std::string open_;      // the closers of the brackets that are open, the innermost last
  bool over_closed_ = false;
  bool line_blank_ = true;  // no character of a statement yet
  std::size_t indentation_ = 0;
  char last_ = 0;  // last character of the statement that is not blank or comment
};

// The indentation below which a line no longer belongs to the cursor's block.
struct BlockEdge {
  CodeScanner at_cursor;
  std::size_t minimum_indentation = 0;
  int line_depth = 0;  // brackets that were open where the cursor's line begins
};

// `prefix`: the whole text before the cursor.
[[nodiscard]] BlockEdge block_edge(const Language& language, std::string_view prefix);

// Bytes of `generated` to keep when a line in it stands outside the cursor's block, the line end before it left out;
// none while the block goes on. Brackets and strings of many lines belong to their statement however they are indented.
[[nodiscard]] std::optional<std::size_t> block_end(const BlockEdge& edge, std::string_view generated);

// How many of the brackets that are open at the cursor `after`, the text behind it, closes.
[[nodiscard]] std::size_t brackets_needed(const CodeScanner& at_cursor, std::string_view after);

// The text behind the cursor ends the string that the scanner is in: on the same line; one of many lines, by the end of
// the next line.
[[nodiscard]] bool closes_string(const CodeScanner& at_cursor, std::string_view after);

// The offset in `generated` of the first closing bracket or quote that `after`, the text behind the cursor, needs for
// itself, or that closes what nothing opened; none when the two fit.
[[nodiscard]] std::optional<std::size_t> over_closing(const CodeScanner& at_cursor, std::string_view generated,
                                                      std::string_view after);

}  // namespace weft::generation
