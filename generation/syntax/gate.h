// SyntaxGate: does a text fit where it is to be inserted? It does when the code around the place with it, and with what
// it left open closed, has no ERROR or MISSING node more than that code could have at best with anything at this place.
// Code that is being written is broken as it stands (`x = |`), so it is no measure itself: the best of some neutral
// insertions is. Closed are strings, brackets, a body that was opened and a statement whose last line lacks its end, by
// the language's row. The code around the place is parsed once; each insertion is an edit of that tree. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generation/syntax/language.h"
#include "generation/syntax/scanner.h"
#include "generation/syntax/tree.h"
#include "generation/syntax/window.h"

namespace weft::generation {

class SyntaxGate {
 public:
  // `limit_parses`: in all, beyond which nothing more is looked for. Errors: a language without grammar, code that
  // takes too long to parse.
  static Expected<SyntaxGate> make(const Language& language, std::string_view text, std::size_t offset,
                                   std::size_t limit_parses = 32);

  // Errors that the insertion adds: zero or less means that it fits.
  [[nodiscard]] int errors_added(std::string_view insertion);
  // Bytes of the longest beginning of the insertion that fits, cut between words; the whole of it if that does. Zero:
  // none was found.
  [[nodiscard]] std::size_t longest_fit(std::string_view insertion);

  [[nodiscard]] std::size_t parses() const { return parses_; }

 private:
  SyntaxGate(const Language& language, CodeWindow window, SyntaxTree tree, std::size_t limit_parses);
  [[nodiscard]] std::string_view before() const { return std::string_view(window_.text).substr(0, window_.cursor); }
  [[nodiscard]] std::string_view after() const { return std::string_view(window_.text).substr(window_.cursor); }
  [[nodiscard]] std::vector<std::string> closings(std::string_view insertion) const;
  [[nodiscard]] std::string sequels(std::string_view insertion) const;
  [[nodiscard]] bool next_line_too_deep(std::string_view inserted) const;
  // Of the document with the insertion and its best closing; stops looking at `good_enough`.
  [[nodiscard]] int least_errors(std::string_view insertion, int good_enough);
  [[nodiscard]] int errors_with(std::string_view insertion, std::string_view closing);
  [[nodiscard]] int baseline();
  [[nodiscard]] std::size_t longest_lines(std::string_view insertion);

  const Language* language_;
  CodeWindow window_;
  SyntaxTree tree_;  // of the window
  std::size_t limit_parses_;
  CodeScanner at_cursor_;
  std::size_t statement_begin_ = 0;   // of the one at the cursor, in the window
  std::size_t needed_ = 0;            // brackets open at the cursor that the text behind it closes
  bool line_ends_here_ = false;       // nothing but blanks behind the cursor on its line
  std::size_t next_indentation_ = 0;  // of the next line that is not blank
  std::optional<int> baseline_;
  std::size_t parses_ = 0;
  std::optional<std::size_t> first_error_;  // in the insertion that was parsed last
  std::string buffer_;
};

}  // namespace weft::generation
