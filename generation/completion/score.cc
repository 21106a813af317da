#include "generation/completion/score.h"

#include <algorithm>
#include <vector>

namespace weft::generation {
namespace {

// In units of log-probability of a token. An error weighs more than any difference in likelihood; the others break what
// would nearly be ties.
constexpr double kErrorWeight = 10, kCutWeight = 1, kBracketWeight = 1, kIndentationWeight = 0.5,
                 kRepetitionWeight = 0.5, kOverlapWeight = 0.5;

constexpr std::size_t kLinesAround = 12;

// With something to say in them, blanks at both ends left out.
std::vector<std::string_view> telling_lines(std::string_view text, std::size_t limit) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size() && lines.size() < limit;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    if (has_word(line)) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

std::string_view last_lines(std::string_view text, std::size_t count) {
  std::size_t begin = text.size();
  for (std::size_t i = 0; i <= count && begin > 0; ++i) {
    const std::size_t newline = text.rfind('\n', begin - 1);
    if (newline == std::string_view::npos) return text;
    begin = newline;
  }
  return text.substr(begin);
}

struct OddIndentations {
  std::size_t lines = 0;
  std::size_t first = std::string_view::npos;  // where the first of them begins
};

// Of the lines behind the cursor's. `column`: of the line that they follow.
OddIndentations odd_indentations(std::string_view text, const CodeScanner& at_cursor, std::size_t column) {
  CodeScanner scanner = at_cursor;
  std::vector<std::size_t> blocks = {column};
  bool deeper = at_cursor.opens_block();
  OddIndentations odd;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool fresh = begin > 0 && scanner.at_rest();
    scanner.feed(text.substr(begin, end - begin));
    if (fresh && !scanner.line_blank()) {
      const std::size_t own = scanner.indentation();
      const bool in_block = own > blocks.back();
      bool back = false;
      for (; own < blocks.back() && blocks.size() > 1; blocks.pop_back()) back = true;
      if (in_block != deeper || (back && own > blocks.back())) {
        ++odd.lines;
        odd.first = std::min(odd.first, begin);
      }
      if (own > blocks.back()) blocks.push_back(own);
    }
    if (!scanner.line_blank()) deeper = scanner.opens_block();
    scanner.feed("\n");
    begin = end + 1;
  }
  return odd;
}

// Of the text's first line with something in it, where it begins one of the document.
std::size_t first_column(std::string_view text, const CursorPlace& place) {
  const std::size_t first = std::min(text.find_first_not_of(" \t\n"), text.size());
  const std::size_t line_begin = text.substr(0, first).rfind('\n') + 1;  // npos + 1: the text's beginning
  return (line_begin == 0 ? place.line_before.size() : 0) + first - line_begin;
}

// Nothing above opens a block, and the line is deeper than that.
bool too_deep(std::size_t column, const CursorPlace& place) {
  std::string_view above = place.before.substr(0, place.before.size() - place.line_before.size());
  // Lines of comments say nothing of blocks.
  for (above = trimmed_right(above); !above.empty(); above = trimmed_right(above)) {
    const std::size_t begin = above.rfind('\n') + 1;  // npos + 1: the text's beginning
    const std::string_view comment = place.language->line_comment;
    if (comment.empty() || !trimmed(above.substr(begin)).starts_with(comment)) break;
    above = above.substr(0, begin);
  }
  CodeScanner scanner(*place.language);
  scanner.feed(above);
  return scanner.at_rest() && !scanner.opens_block() && column > scanner.indentation();
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ScoreParts score_parts(std::string_view text, const CursorPlace& place, const StopRules& rules) {
  ScoreParts parts;
  CodeScanner scanner = rules.edge.at_cursor;
  scanner.feed(text);
  const auto opened = static_cast<std::size_t>(std::max(0, scanner.depth() - rules.edge.at_cursor.depth()));
  parts.open_brackets = opened;
  parts.odd_indentations = odd_indentations(text, rules.edge.at_cursor, rules.edge.at_cursor.indentation()).lines;

  std::string whole(place.line_before);
  whole += text;
  const std::vector<std::string_view> own = telling_lines(whole, rules.max_lines + 1);
  const std::string_view lines_above = place.before.substr(0, place.before.size() - place.line_before.size());
  const std::vector<std::string_view> above = telling_lines(last_lines(lines_above, kLinesAround), kLinesAround);
  const std::vector<std::string_view> below = telling_lines(place.after, kLinesAround);
  std::size_t repeated = 0, overlapping = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto earlier = own.begin() + static_cast<std::ptrdiff_t>(i);
    const bool again =
        std::find(own.begin(), earlier, own[i]) != earlier || std::ranges::find(above, own[i]) != above.end();
    repeated += again ? 1 : 0;
    overlapping += std::ranges::find(below, own[i]) != below.end() ? 1 : 0;
  }
  parts.repetition = share(repeated, own.size());
  parts.overlap = share(overlapping, own.size());
  return parts;
}

std::size_t well_indented(std::string_view text, const CursorPlace& place, const StopRules& rules) {
  const CodeScanner& at_cursor = rules.edge.at_cursor;
  std::size_t column = at_cursor.indentation();
  if (trimmed(place.line_before).empty() && at_cursor.at_rest()) {
    column = first_column(text, place);
    // What is there already is not the text's matter.
    if (column > place.line_before.size() && too_deep(column, place)) return 0;
  }
  const OddIndentations odd = odd_indentations(text, at_cursor, column);
  return odd.first == std::string_view::npos ? text.size() : trimmed_right(text.substr(0, odd.first)).size();
}

double total_score(const ScoreParts& parts) {
  return parts.mean_logprob - kErrorWeight * std::max(0, parts.syntax_errors) - kCutWeight * parts.cut -
         kBracketWeight * static_cast<double>(parts.open_brackets) -
         kIndentationWeight * static_cast<double>(parts.odd_indentations) - kRepetitionWeight * parts.repetition -
         kOverlapWeight * parts.overlap;
}

}  // namespace weft::generation
