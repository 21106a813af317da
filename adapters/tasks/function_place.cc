#include "adapters/tasks/function_place.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "adapters/tasks/descriptions.h"
#include "adapters/tasks/function_from_comment.h"
#include "adapters/tasks/lines.h"
#include "generation/syntax/scanner.h"

namespace weft::adapters {
namespace {

using generation::ByteRange;
using generation::CodeScanner;
using generation::Language;

constexpr std::size_t kContextBytes = 600;
constexpr std::size_t kMostBlankLines = 2;   // between what is asked and the cursor below it
constexpr std::size_t kMostLinesAbove = 60;  // from the cursor up to a `def`
constexpr std::size_t kMostSignatureBytes = 4096;
constexpr std::array<std::string_view, 2> kPlaceholders = {"pass", "..."};

// The document's lines around the cursor. Line numbers count from 0.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at != std::string_view::npos;) {
      begins_.push_back(at);
      at = text.find('\n', at);
      if (at != std::string_view::npos) ++at;
    }
  }
  [[nodiscard]] std::size_t count() const { return begins_.size(); }
  [[nodiscard]] std::size_t begin(std::size_t line) const { return begins_[line]; }
  [[nodiscard]] std::size_t end(std::size_t line) const { return begin(line) + of(line).size(); }
  // Without its line end.
  [[nodiscard]] std::string_view of(std::size_t line) const {
    const std::size_t next = line + 1 < count() ? begins_[line + 1] - 1 : text_.size();
    std::string_view out = text_.substr(begins_[line], next - begins_[line]);
    if (out.ends_with('\r')) out.remove_suffix(1);
    return out;
  }
  [[nodiscard]] std::size_t at(std::size_t offset) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(begins_, offset) - begins_.begin()) - 1;
  }
  [[nodiscard]] bool blank(std::size_t line) const { return trimmed(of(line)).empty(); }
  // The first line from this one on that is not blank; count() if there is none.
  [[nodiscard]] std::size_t filled_from(std::size_t line) const {
    while (line < count() && blank(line)) ++line;
    return line;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_;
};

bool is_comment(std::string_view line) { return trimmed(line).starts_with('#'); }

// Whether a statement may begin there: not inside a string or brackets.
bool is_statement_begin(const Language& language, std::string_view text, std::size_t offset) {
  CodeScanner scanner(language);
  scanner.feed(text.substr(0, offset));
  return scanner.at_rest();
}

// The offset behind the colon of the signature that begins there.
std::optional<std::size_t> signature_end(const Language& language, std::string_view text, std::size_t begin) {
  CodeScanner scanner(language);
  for (std::size_t i = begin; i < std::min(text.size(), begin + kMostSignatureBytes); ++i) {
    scanner.feed(text.substr(i, 1));
    if (scanner.opens_block()) return i + 1;
    if (text[i] == '\n' && scanner.at_rest()) return std::nullopt;
  }
  return std::nullopt;
}

// The last line of the string that begins on `line`; none when it is never closed.
std::optional<std::size_t> string_end(const Language& language, const Lines& lines, std::size_t line) {
  CodeScanner scanner(language);
  for (; line < lines.count(); ++line) {
    scanner.feed(lines.of(line));
    scanner.feed("\n");
    if (scanner.at_rest()) return line;
  }
  return std::nullopt;
}

// What follows a signature: its docstring and comments, and whether statements come then.
struct Head {
  std::size_t last = 0;      // its last line
  std::size_t replaced = 0;  // the same, or the placeholder's line
  bool has_body = false;
};

Head head_below(const Language& language, const Lines& lines, std::size_t signature_line, std::size_t margin) {
  Head head{signature_line, signature_line, false};
  bool docstring_may_come = true;
  for (std::size_t at = lines.filled_from(signature_line + 1); at < lines.count(); at = lines.filled_from(at + 1)) {
    if (margin_of(lines.of(at)).size() <= margin) break;
    const std::string_view code = trimmed(lines.of(at));
    if (docstring_may_come && code.find_first_of("\"'") < 2) {
      const auto end = string_end(language, lines, at);
      if (!end) return {head.last, head.last, true};
      at = *end;
    } else if (std::ranges::count(kPlaceholders, code) > 0 && head.replaced == head.last) {
      head.replaced = at;
      continue;
    } else if (!is_comment(code) || head.replaced != head.last) {
      head.has_body = true;
      break;
    }
    docstring_may_come = is_comment(code) && docstring_may_come;
    head.last = head.replaced = at;
  }
  return head;
}

// The lines without so many columns of their indentation.
std::string lines_without(const Lines& lines, std::size_t first, std::size_t last, std::size_t margin) {
  std::string text;
  for (std::size_t i = first; i <= last; ++i) {
    std::string_view line = lines.of(i);
    line.remove_prefix(std::min(margin, margin_of(line).size()));
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

std::string function_name(std::string_view signature) {
  signature.remove_prefix(signature.find("def ") + 4);
  return std::string(trimmed(signature.substr(0, signature.find('('))));
}

ByteRange whole_lines(const Lines& lines, std::size_t first, std::size_t last) {
  return {lines.begin(first), lines.end(last)};
}

// `line` begins with `def`; the cursor stands on the function's head or close below it.
std::optional<FunctionRequestPlace> place_of_signature(const Language& language, std::string_view text,
                                                       const Lines& lines, std::size_t line, std::size_t cursor_line) {
  const std::string_view margin = margin_of(lines.of(line));
  const auto colon = signature_end(language, text, lines.begin(line) + margin.size());
  if (!colon || margin.find('\t') != margin.npos) return std::nullopt;
  const std::size_t signature_line = lines.at(*colon - 1);
  const std::string_view rest = trimmed(text.substr(*colon, lines.end(signature_line) - *colon));
  const bool holds_place = std::ranges::count(kPlaceholders, rest) > 0;
  if (!rest.empty() && !is_comment(rest) && !holds_place) return std::nullopt;
  const Head head = head_below(language, lines, signature_line, margin.size());
  if (head.has_body || cursor_line > head.replaced + kMostBlankLines) return std::nullopt;
  if (lines.filled_from(head.replaced + 1) <= cursor_line) return std::nullopt;
  if (!is_statement_begin(language, text, lines.begin(line))) return std::nullopt;
  FunctionRequestPlace place;
  place.signature =
      holds_place
          ? std::string(text.substr(lines.begin(line) + margin.size(), *colon - lines.begin(line) - margin.size()))
          : lines_without(lines, line, head.last, margin.size());
  const bool documented = head.last > signature_line;
  const std::string_view deep = documented ? margin_of(lines_of(place.signature).back()) : "    ";
  if (!parses(language, fmt::format("{}\n{}pass", place.signature, deep))) return std::nullopt;
  place.replaced = whole_lines(lines, line, std::max(head.replaced, cursor_line));
  place.context = context_before(text, place.replaced.begin);
  place.indentation = margin.size();
  place.title = "Generate function \"" + function_name(place.signature) + "\"";
  return place;
}

struct Block {
  std::size_t first = 0, last = 0;
};
Block comment_block(const Lines& lines, std::size_t line) {
  const std::string_view margin = margin_of(lines.of(line));
  const auto belongs = [&](std::size_t other) {
    return is_comment(lines.of(other)) && margin_of(lines.of(other)) == margin;
  };
  Block block{line, line};
  while (block.first > 0 && belongs(block.first - 1)) --block.first;
  while (block.last + 1 < lines.count() && belongs(block.last + 1)) ++block.last;
  return block;
}

// A comment with nothing right below it, or with a signature that has no body.
std::optional<FunctionRequestPlace> place_of_comment(const Language& language, std::string_view text,
                                                     const Lines& lines, std::size_t line, std::size_t cursor_line) {
  const Block block = comment_block(lines, line);
  const std::string_view margin = margin_of(lines.of(line));
  const std::size_t below = block.last + 1;
  if (below < lines.count() && !lines.blank(below) && margin_of(lines.of(below)).size() >= margin.size()) {
    if (!begins_function(lines.of(below))) return std::nullopt;
    return place_of_signature(language, text, lines, below, below);
  }
  const ByteRange comment = whole_lines(lines, block.first, block.last);
  FunctionRequestPlace place;
  place.description = comment_text(text.substr(comment.begin, comment.end - comment.begin));
  if (margin.find('\t') != margin.npos || !is_description(place.description)) return std::nullopt;
  if (!is_statement_begin(language, text, comment.begin)) return std::nullopt;
  place.replaced = whole_lines(lines, block.first, std::max(block.last, cursor_line));
  place.kept = lines_without(lines, block.first, block.last, 0) + "\n";
  place.context = context_before(text, comment.begin);
  place.indentation = margin.size();
  place.title = "Generate function from comment";
  return place;
}

}  // namespace

bool begins_function(std::string_view line) {
  return trimmed(line).starts_with("def ") || trimmed(line).starts_with("async def ");
}

std::string context_before(std::string_view text, std::size_t offset) {
  text = text.substr(0, offset);
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);  // npos + 1: nothing
  if (text.size() > kContextBytes) {
    const std::size_t line = text.find('\n', text.size() - kContextBytes);
    text.remove_prefix(line == std::string_view::npos ? text.size() : line + 1);
  }
  std::string context;
  for (const std::string_view line : lines_of(text)) {
    if (context.empty() && trimmed(line).empty()) continue;
    context.append(line) += '\n';
  }
  if (!context.empty()) context.pop_back();
  return context;
}

std::optional<FunctionRequestPlace> find_function_request(const Language& language, std::string_view text,
                                                          std::size_t cursor) {
  if (language.name != "python") return std::nullopt;
  const Lines lines(text);
  const std::size_t cursor_line = lines.at(std::min(cursor, text.size()));
  std::size_t line = cursor_line;
  while (line > 0 && lines.blank(line) && cursor_line - line < kMostBlankLines) --line;
  if (lines.blank(line)) return std::nullopt;
  if (is_comment(lines.of(line))) {
    if (auto place = place_of_comment(language, text, lines, line, cursor_line)) return place;
  }
  // The cursor may be on any line of a signature or of its docstring.
  for (std::size_t above = line;; --above) {
    if (begins_function(lines.of(above))) return place_of_signature(language, text, lines, above, cursor_line);
    if (above == 0 || line - above == kMostLinesAbove) return std::nullopt;
  }
}

}  // namespace weft::adapters
