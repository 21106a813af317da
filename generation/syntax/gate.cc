#include "generation/syntax/gate.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace weft::generation {
namespace {

constexpr std::size_t kHeadLines = 200;  // that are looked at for statements which want a sequel

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

// A text may end before `offset` without looking cut: not inside a word, not behind a blank.
bool boundary(std::string_view text, std::size_t offset) {
  if (blank(text[offset - 1])) return false;
  return offset == text.size() || !in_word(text[offset - 1]) || !in_word(text[offset]);
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end]))) return true;
  }
  return false;
}

std::size_t indentation_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

}  // namespace

Expected<SyntaxGate> SyntaxGate::make(const Language& language, std::string_view text, std::size_t offset,
                                      std::size_t limit_parses) {
  CodeWindow window = window_around(language, text, offset);
  auto tree = SyntaxTree::parse(language, window.text);
  if (!tree) return tree.error();
  return SyntaxGate(language, std::move(window), *std::move(tree), limit_parses);
}

SyntaxGate::SyntaxGate(const Language& language, CodeWindow window, SyntaxTree tree, std::size_t limit_parses)
    : language_(&language),
      window_(std::move(window)),
      tree_(std::move(tree)),
      limit_parses_(limit_parses),
      at_cursor_(language) {
  for (std::size_t begin = 0, end = 0; begin < before().size(); begin = end) {
    if (at_cursor_.at_rest()) statement_begin_ = begin;
    end = std::min(before().find('\n', begin), before().size() - 1) + 1;
    at_cursor_.feed(before().substr(begin, end - begin));
  }
  if (at_cursor_.at_rest() && before().ends_with('\n')) statement_begin_ = before().size();
  needed_ = brackets_needed(at_cursor_, after());
  const std::string_view rest = after().substr(0, after().find('\n'));
  line_ends_here_ = std::ranges::all_of(rest, blank);
  const std::size_t next = after().find_first_not_of(" \t\r\n", rest.size());
  if (next != std::string_view::npos) next_indentation_ = next - (after().rfind('\n', next) + 1);
}

// Statements around the end of the text that the grammar wants to go on: a line for each, the innermost first.
std::string SyntaxGate::sequels(std::string_view insertion) const {
  std::string whole(before());
  whole += insertion;
  std::string out;
  std::string_view text = whole;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 0; i < kHeadLines && limit > 0 && !text.empty(); ++i) {
    const std::size_t begin = text.rfind('\n') + 1;  // npos + 1: the text's beginning
    const std::string_view line = text.substr(begin);
    text = text.substr(0, begin == 0 ? 0 : begin - 1);
    const std::size_t indentation = indentation_of(line);
    if (std::ranges::all_of(line, blank) || indentation >= limit) continue;
    for (const Sequel& sequel : language_->sequels) {
      if (!line.substr(indentation).starts_with(sequel.head)) continue;
      if (sequel.at_once && limit != std::numeric_limits<std::size_t>::max()) continue;
      out.append("\n").append(line.substr(0, indentation)).append(sequel.line);
    }
    limit = indentation;
  }
  return out;
}

// What may close the insertion, the likeliest first.
std::vector<std::string> SyntaxGate::closings(std::string_view insertion) const {
  CodeScanner scanner = at_cursor_;
  scanner.feed(insertion);
  std::string inner;
  if (scanner.kind() == TextKind::kString && !closes_string(scanner, after())) inner = scanner.string_end();
  if (scanner.kind() == TextKind::kComment && line_ends_here_ && scanner.depth() > 0) inner.push_back('\n');
  const std::string brackets = scanner.closers(brackets_needed(scanner, after()));
  std::vector<std::string> out = {inner + brackets};
  // The text behind the cursor may close what it had not been written for.
  if (const std::string all = scanner.closers(needed_); all != brackets) out.push_back(inner + all);
  if (scanner.in_long_string() && !inner.empty()) out.push_back(brackets);
  if (!brackets.empty() && inner.empty()) out.push_back(fmt::format("{}{}", language_->filler, brackets));
  if (!line_ends_here_) return out;

  const auto body = [&](const CodeScanner& at) {
    return fmt::format("\n{:{}}{}", "", at.indentation() + 1, language_->empty_body);
  };
  CodeScanner closed = scanner;
  closed.feed(out.front());
  std::string with_body = out.front();
  if (closed.opens_block() && !language_->empty_body.empty()) {
    with_body += body(closed);
    out.push_back(with_body);
  }
  const std::string after_it = sequels(insertion);
  if (!after_it.empty()) out.push_back(with_body + after_it);
  if (closed.kind() != TextKind::kCode) return out;
  std::string statement = fmt::format("{}{}", before().substr(statement_begin_), insertion);
  if (brackets.empty()) statement.erase(0, statement.rfind('\n') + 1);  // npos + 1: it is one line
  for (const Ending& ending : language_->endings) {
    if (!has_word(statement, ending.word)) continue;
    CodeScanner ended = closed;
    ended.feed(ending.text);
    const bool has_body = next_indentation_ > ended.indentation();
    std::string closing = fmt::format("{}{}{}{}", out.front(), ending.text,
                                      ended.opens_block() && !has_body ? body(ended) : "", has_body ? "" : after_it);
    if (std::ranges::find(out, closing) == out.end()) out.push_back(std::move(closing));
  }
  return out;
}

// The grammar does not mind a line below that is deeper than a statement which opens no block.
bool SyntaxGate::next_line_too_deep(std::string_view inserted) const {
  if (!language_->indented_blocks || !line_ends_here_) return false;
  CodeScanner scanner = at_cursor_;
  scanner.feed(inserted);
  return scanner.kind() == TextKind::kCode && scanner.at_rest() && !scanner.line_blank() && !scanner.opens_block() &&
         next_indentation_ > scanner.indentation();
}

int SyntaxGate::errors_with(std::string_view insertion, std::string_view closing) {
  if (parses_ >= limit_parses_) return std::numeric_limits<int>::max();
  ++parses_;
  buffer_.assign(before()).append(insertion).append(closing).append(after());
  const std::size_t end = window_.cursor + insertion.size() + closing.size();
  const auto tree = tree_.edited(window_.text, buffer_, {window_.cursor, window_.cursor, end});
  if (!tree) return std::numeric_limits<int>::max();
  first_error_ = tree->first_error_in({window_.cursor, window_.cursor + insertion.size()});
  if (first_error_) *first_error_ -= window_.cursor;
  const bool too_deep = next_line_too_deep(std::string_view(buffer_).substr(window_.cursor, end - window_.cursor));
  return static_cast<int>(tree->errors_in({0, buffer_.size()})) + (too_deep ? 1 : 0);
}

int SyntaxGate::least_errors(std::string_view insertion, int good_enough) {
  int least = std::numeric_limits<int>::max();
  for (const std::string& closing : closings(insertion)) {
    least = std::min(least, errors_with(insertion, closing));
    if (least <= good_enough) break;
    // What is wrong in an earlier line is no matter of how the last one ends.
    if (first_error_ && insertion.find('\n', *first_error_) != std::string_view::npos) break;
  }
  return least;
}

int SyntaxGate::baseline() {
  if (baseline_) return *baseline_;
  int least = static_cast<int>(tree_.errors_in({0, window_.text.size()})) + (next_line_too_deep({}) ? 1 : 0);
  // A line that is missing may open the block below.
  const bool opens = line_ends_here_ && at_cursor_.line_blank() && next_indentation_ > at_cursor_.indentation();
  for (const std::string_view neutral : {language_->filler, std::string_view()}) {
    if (least > 0) least = std::min(least, least_errors(neutral, 0));
  }
  if (least > 0 && opens) least = std::min(least, least_errors(language_->block_header, 0));
  baseline_ = least;
  return least;
}

int SyntaxGate::errors_added(std::string_view insertion) {
  const int known = baseline_.value_or(0);
  const int errors = least_errors(insertion, known);
  if (errors <= known) return errors - known;
  return errors - baseline();
}

// Of whole lines, looked for from where the first error was upwards.
std::size_t SyntaxGate::longest_lines(std::string_view insertion) {
  const std::size_t wrong = first_error_.value_or(insertion.size());
  std::size_t end = insertion.find('\n', std::min(wrong, insertion.size()));
  if (end == std::string_view::npos) end = insertion.rfind('\n');
  for (; end != std::string_view::npos && end > 0; end = insertion.rfind('\n', end - 1)) {
    if (!blank(insertion[end - 1]) && errors_added(insertion.substr(0, end)) <= 0) return end;
  }
  return 0;
}

std::size_t SyntaxGate::longest_fit(std::string_view insertion) {
  if (errors_added(insertion) <= 0) return insertion.size();
  const std::size_t lines = longest_lines(insertion);
  const std::size_t line_begin = insertion.find_first_not_of('\n', lines);
  std::size_t end = std::min(insertion.find('\n', std::min(line_begin, insertion.size())), insertion.size());
  if (end == insertion.size()) --end;  // the whole does not fit
  for (; end > lines; --end) {
    if (boundary(insertion, end) && errors_added(insertion.substr(0, end)) <= 0) return end;
  }
  return lines;
}

}  // namespace weft::generation
