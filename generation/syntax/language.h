// The languages that weft reads, one row each: what differs between languages is data. Pure; rows live for ever.
#pragma once

#include <span>
#include <string_view>

struct TSLanguage;

namespace weft::generation {

// A statement that the grammar wants to go on on a later line, at its own indentation: "try:" by a "finally:".
struct Sequel {
  std::string_view head;  // how the statement's first line begins
  std::string_view line;  // what may follow
  bool at_once = false;   // on the very next line, not behind a body
};

// What a statement that has the word may lack at its end.
struct Ending {
  std::string_view word, text;
};

struct Language {
  std::string_view name;                           // as editors call it: "python"
  std::span<const std::string_view> extensions;    // with the dot
  const TSLanguage* (*grammar)();                  // null: no grammar, rules of lines and indentation only
  std::span<const std::string_view> block_nodes;   // node kinds that hold statements
  std::span<const std::string_view> string_nodes;  // node kinds of string literals
  std::span<const std::string_view> comment_nodes;
  std::string_view line_comment;      // starts a comment that ends with the line
  std::string_view quotes;            // characters that open and close a string
  bool triple_quotes = false;         // three quotes open a string of many lines
  std::string_view openers, closers;  // brackets, pairwise at the same index
  char block_opener = 0;              // last character of a line that opens a block
  bool indented_blocks = false;       // indentation alone says what is in a block
  // For texts that are still being written, see gate.h and window.h.
  std::string_view filler;                    // an expression where one is missing
  std::string_view empty_body;                // the statement that does nothing
  std::string_view block_header;              // a line over statements that are indented
  std::span<const std::string_view> clauses;  // how lines begin that go on with a statement, at its indentation
  std::span<const Ending> endings;
  std::span<const Sequel> sequels;
};

[[nodiscard]] std::span<const Language> languages();
// Null: not a language that weft reads. An empty name asks the path's extension.
[[nodiscard]] const Language* find_language(std::string_view name, std::string_view path);
// The same, or a row without grammar whose blocks are what indentation says.
[[nodiscard]] const Language& language_for(std::string_view name, std::string_view path);

}  // namespace weft::generation
