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

std::size_t odd_indentations(std::string_view text, const CodeScanner& at_cursor) {
  CodeScanner scanner = at_cursor;
  std::vector<std::size_t> blocks = {at_cursor.indentation()};
  bool deeper = at_cursor.opens_block();
  std::size_t odd = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool fresh = begin > 0 && scanner.at_rest();
    scanner.feed(text.substr(begin, end - begin));
    if (fresh && !scanner.line_blank()) {
      const std::size_t own = scanner.indentation();
      bool back = false;
      for (; own < blocks.back() && blocks.size() > 1; blocks.pop_back()) back = true;
      if (own > blocks.back()) {
        odd += deeper && !back ? 0 : 1;
        blocks.push_back(own);
      }
    }
    if (!scanner.line_blank()) deeper = scanner.opens_block();
    scanner.feed("\n");
    begin = end + 1;
  }
  return odd;
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
  parts.odd_indentations = odd_indentations(text, rules.edge.at_cursor);

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

double total_score(const ScoreParts& parts) {
  return parts.mean_logprob - kErrorWeight * std::max(0, parts.syntax_errors) - kCutWeight * parts.cut -
         kBracketWeight * static_cast<double>(parts.open_brackets) -
         kIndentationWeight * static_cast<double>(parts.odd_indentations) - kRepetitionWeight * parts.repetition -
         kOverlapWeight * parts.overlap;
}

}  // namespace weft::generation
