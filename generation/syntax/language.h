// The languages that weft reads, one row each: what differs between languages is data. Pure; rows live for ever.
#pragma once

#include <span>
#include <string_view>

struct TSLanguage;

namespace weft::generation {

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
};

[[nodiscard]] std::span<const Language> languages();
// Null: not a language that weft reads. An empty name asks the path's extension.
[[nodiscard]] const Language* find_language(std::string_view name, std::string_view path);
// The same, or a row without grammar whose blocks are what indentation says.
[[nodiscard]] const Language& language_for(std::string_view name, std::string_view path);

}  // namespace weft::generation
