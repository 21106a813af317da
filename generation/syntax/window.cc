#include "generation/syntax/window.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "generation/syntax/scanner.h"

namespace weft::generation {
namespace {

constexpr std::size_t kLeastLinesAfter = 8;

std::size_t indentation_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\f") == std::string_view::npos; }

// "else:" is no statement.
bool starts_clause(std::string_view line, const Language& language) {
  const std::string_view code = line.substr(indentation_of(line));
  const auto begins = [code](std::string_view word) { return code.starts_with(word); };
  return std::ranges::any_of(language.clauses, begins) || language.closers.find(code.front()) != std::string_view::npos;
}

struct Start {
  std::size_t begin = 0, indentation = 0;
};

Start start_of(const Language& language, std::string_view before, std::size_t budget) {
  std::vector<std::size_t> at_rest;  // beginnings of lines that may be statements' first, within the budget
  CodeScanner scanner(language);
  for (std::size_t begin = 0;;) {
    const std::size_t newline = before.find('\n', begin);
    if (scanner.at_rest() && before.size() - begin <= budget) at_rest.push_back(begin);
    if (newline == std::string_view::npos) break;
    scanner.feed(before.substr(begin, newline + 1 - begin));
    begin = newline + 1;
  }
  Start start{before.size() - std::min(before.size(), budget), 0};
  start.begin = before.rfind('\n', start.begin) + 1;  // npos + 1: the text's beginning
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (auto begin = at_rest.rbegin(); begin != at_rest.rend(); ++begin) {
    const std::string_view line = before.substr(*begin, before.find('\n', *begin) - *begin);
    const bool last = *begin + line.size() == before.size();
    if (blank(line) && !last) continue;
    const std::size_t indentation = indentation_of(line);
    if (indentation > least) continue;
    least = indentation;
    if (!blank(line) && starts_clause(line, language)) continue;
    start = {*begin, indentation};
  }
  return start;
}

std::size_t end_of(const Language& language, std::string_view after, std::size_t budget, std::size_t indentation) {
  std::size_t lines = 0;
  for (std::size_t newline = after.find('\n'); newline != std::string_view::npos && newline < budget;
       newline = after.find('\n', newline + 1)) {
    const std::string_view line = after.substr(newline + 1, after.find('\n', newline + 1) - newline - 1);
    if (++lines < kLeastLinesAfter || blank(line)) continue;
    if (indentation_of(line) <= indentation && !starts_clause(line, language)) return newline + 1;
  }
  if (after.size() <= budget) return after.size();
  const std::size_t last = after.rfind('\n', budget);
  return last == std::string_view::npos ? budget : last + 1;
}

}  // namespace

CodeWindow window_around(const Language& language, std::string_view text, std::size_t offset, WindowBudget budget) {
  const std::string_view before = text.substr(0, offset), after = text.substr(offset);
  const Start start = start_of(language, before, budget.bytes_before);
  CodeWindow window;
  if (start.indentation > 0 && !language.block_header.empty()) window.text = fmt::format("{}\n", language.block_header);
  window.text += before.substr(start.begin);
  window.cursor = window.text.size();
  window.text += after.substr(0, end_of(language, after, budget.bytes_after, start.indentation));
  return window;
}

}  // namespace weft::generation
