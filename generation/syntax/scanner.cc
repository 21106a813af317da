#include "generation/syntax/scanner.h"

#include <algorithm>

namespace weft::generation {
namespace {

constexpr std::size_t kTabWidth = 8;  // Python's own rule: to the next multiple of eight

constexpr std::size_t kNeedWindowBytes = 16 << 10;

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

}  // namespace

void CodeScanner::feed(std::string_view text) {
  for (const char c : text) {
    switch (state_) {
      case State::kCode:
        feed_code(c);
        break;
      case State::kComment:
        if (c == '\n') end_line();
        break;
      case State::kOpening:
        feed_opening(c);
        break;
      case State::kString:
        feed_string(c);
        break;
      case State::kTriple:
        feed_triple(c);
        break;
    }
  }
}

TextKind CodeScanner::kind() const {
  if (state_ == State::kComment) return TextKind::kComment;
  const bool empty_string = state_ == State::kOpening && quotes_seen_ == 2;
  return state_ == State::kCode || empty_string ? TextKind::kCode : TextKind::kString;
}

std::string CodeScanner::closers(std::size_t left_open) const {
  if (open_.size() <= left_open) return {};
  return {open_.rbegin(), open_.rend() - static_cast<std::ptrdiff_t>(left_open)};
}

std::string CodeScanner::string_end() const {
  if (kind() != TextKind::kString) return {};
  if (state_ == State::kTriple) return std::string(3 - static_cast<std::size_t>(std::min(quotes_seen_, 2)), quote_);
  return std::string(1, quote_);
}

void CodeScanner::end_line() {
  state_ = State::kCode;
  if (escaped_ || !open_.empty()) {
    escaped_ = false;
    return;
  }
  line_blank_ = true;
  indentation_ = 0;
  last_ = 0;
}

void CodeScanner::feed_code(char c) {
  if (c == '\n') return end_line();
  if (blank(c)) {
    if (line_blank_ && c == ' ') ++indentation_;
    if (line_blank_ && c == '\t') indentation_ += kTabWidth - indentation_ % kTabWidth;
    return;
  }
  if (!language_->line_comment.empty() && c == language_->line_comment.front()) {
    state_ = State::kComment;
    return;
  }
  line_blank_ = false;
  escaped_ = c == '\\';
  last_ = c;
  if (language_->quotes.find(c) != std::string_view::npos) {
    state_ = language_->triple_quotes ? State::kOpening : State::kString;
    quote_ = c;
    quotes_seen_ = 1;
  } else if (language_->openers.find(c) != std::string_view::npos) {
    open_ += language_->closers[language_->openers.find(c)];
  } else if (language_->closers.find(c) != std::string_view::npos) {
    over_closed_ = over_closed_ || open_.empty();
    if (!open_.empty()) open_.pop_back();
  }
}

void CodeScanner::feed_opening(char c) {
  if (c == quote_) {
    if (++quotes_seen_ == 3) {
      state_ = State::kTriple;
      quotes_seen_ = 0;
    }
    return;
  }
  if (quotes_seen_ == 2) {  // the empty string
    state_ = State::kCode;
    feed_code(c);
    return;
  }
  state_ = State::kString;
  feed_string(c);
}

void CodeScanner::feed_string(char c) {
  if (escaped_) {
    escaped_ = c == '\r';  // a backslash before CRLF escapes both
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '\n') {
    end_line();  // never closed: the next line starts afresh
  } else if (c == quote_) {
    state_ = State::kCode;
  }
}

void CodeScanner::feed_triple(char c) {
  if (escaped_) {
    escaped_ = false;
    return;
  }
  escaped_ = c == '\\';
  quotes_seen_ = c == quote_ ? quotes_seen_ + 1 : 0;
  if (quotes_seen_ == 3) state_ = State::kCode;
}

BlockEdge block_edge(const Language& language, std::string_view prefix) {
  BlockEdge edge{CodeScanner(language), 0, 0};
  const std::size_t line_begin = prefix.rfind('\n') + 1;  // npos + 1: the text's beginning
  edge.at_cursor.feed(prefix.substr(0, line_begin));
  edge.line_depth = edge.at_cursor.depth();
  edge.at_cursor.feed(prefix.substr(line_begin));
  // After `if x:` the block is still to come, so that whatever is not deeper than the line itself is outside.
  edge.minimum_indentation = edge.at_cursor.indentation() + (edge.at_cursor.opens_block() ? 1 : 0);
  return edge;
}

std::optional<std::size_t> block_end(const BlockEdge& edge, std::string_view generated) {
  CodeScanner scanner = edge.at_cursor;
  std::size_t minimum = edge.minimum_indentation;
  for (std::size_t begin = 0; begin < generated.size();) {
    const std::size_t end = std::min(generated.find('\n', begin), generated.size());
    const std::string_view line = generated.substr(begin, end - begin);
    const auto first = std::ranges::find_if_not(line, blank);
    if (begin > 0 && scanner.at_rest() && first != line.end()) {
      CodeScanner probe = scanner;
      probe.feed(line.substr(0, static_cast<std::size_t>(first - line.begin())));
      if (probe.indentation() < minimum) return begin - 1;
    }
    scanner.feed(line);
    // The header itself may be finished by the model: `if |` and then `x:`.
    if (begin == 0 && !edge.at_cursor.line_blank() && scanner.opens_block()) {
      minimum = std::max(minimum, scanner.indentation() + 1);
    }
    if (end < generated.size()) scanner.feed("\n");
    begin = end + 1;
  }
  return std::nullopt;
}

std::size_t brackets_needed(const CodeScanner& at_cursor, std::string_view after) {
  CodeScanner scanner = at_cursor;
  int lowest = scanner.depth();
  for (std::size_t i = 0; i < std::min(after.size(), kNeedWindowBytes) && lowest > 0; ++i) {
    scanner.feed(after.substr(i, 1));
    lowest = std::min(lowest, scanner.depth());
  }
  return static_cast<std::size_t>(at_cursor.depth() - lowest);
}

bool closes_string(const CodeScanner& at_cursor, std::string_view after) {
  after = after.substr(0, kNeedWindowBytes);
  std::size_t end = after.find('\n');
  if (at_cursor.in_long_string() && end != std::string_view::npos) end = after.find('\n', end + 1);
  CodeScanner scanner = at_cursor;
  for (const char& c : after.substr(0, end)) {
    scanner.feed({&c, 1});
    if (scanner.kind() != TextKind::kString) return true;
  }
  return false;
}

std::optional<std::size_t> over_closing(const CodeScanner& at_cursor, std::string_view generated,
                                        std::string_view after) {
  const bool keeps_string = at_cursor.kind() == TextKind::kString && closes_string(at_cursor, after);
  const auto needed = static_cast<int>(brackets_needed(at_cursor, after));
  CodeScanner scanner = at_cursor;
  for (std::size_t i = 0; i < generated.size(); ++i) {
    const bool broken_before = scanner.over_closed();
    scanner.feed(generated.substr(i, 1));
    if (scanner.depth() < needed || (scanner.over_closed() && !broken_before)) return i;
    if (keeps_string && scanner.kind() != TextKind::kString) return i;
  }
  return std::nullopt;
}

}  // namespace weft::generation
