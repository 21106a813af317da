#include "generation/completion/filter.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace weft::generation {
namespace {

constexpr std::size_t kOverlapBytes = 4;  // shorter repetitions of the line's rest may be chance
constexpr std::size_t kLoopTimes = 3;
constexpr std::size_t kLoopBytes = 12;
constexpr std::size_t kLongLineBytes = 4096;  // not compared as a whole

// Up to the first character that no source code has.
std::string_view printable(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n'; };
  return text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, control) - text.begin()));
}

// The line's rest once more at the end of the text, or its beginning as far as the text goes.
std::string_view without_line_rest(std::string_view text, const CursorPlace& place, const StopRules& rules) {
  const std::string_view rest = trimmed(place.line_after);
  if (rest.empty()) return text;
  const std::string_view body = trimmed_right(text);
  const bool brackets_only = rest.find_first_not_of(place.language->closers) == std::string_view::npos;
  const bool code = rules.edge.at_cursor.kind() == TextKind::kCode;
  // Brackets alone are a matter of balance: over_closing knows.
  if (body.ends_with(rest) && !(brackets_only && code)) return body.substr(0, body.size() - rest.size());
  for (std::size_t length = std::min(rest.size(), body.size()); length >= kOverlapBytes; --length) {
    const std::string_view overlap = rest.substr(0, length);
    if (has_word(overlap) && body.ends_with(overlap)) return body.substr(0, body.size() - length);
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text, std::size_t limit) {
  std::vector<std::string_view> lines;
  while (lines.size() < limit) {
    const std::size_t end = text.find('\n');
    lines.push_back(trimmed_right(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// From the first line on that stands below the cursor already, with as many after it as both have.
std::string_view without_following_lines(std::string_view text, const CursorPlace& place, std::size_t max_lines) {
  const std::size_t line_end = place.after.find('\n');
  if (place.next_line.empty() || line_end == std::string_view::npos) return text;
  std::string_view below = place.after.substr(line_end + 1);
  const std::size_t next = below.find(place.next_line);
  const std::vector<std::string_view> following = lines_of(below.substr(std::min(next, below.size())), max_lines);
  const std::vector<std::string_view> own = lines_of(text, max_lines + 1);
  const bool from_first = trimmed(place.line_before).empty();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const bool whole_line = i > 0 || from_first;
    const std::string_view line = i == 0 ? trimmed(own[0]) : own[i];
    const std::string_view other = i == 0 ? trimmed(following[0]) : following[0];
    if (whole_line && has_word(line) && line == other) {
      const std::size_t common = std::min(own.size() - i, following.size());
      const bool last_open = i + common == own.size();  // the last own line may be cut off in its middle
      bool same = true;
      for (std::size_t k = 1; k < common && same; ++k) {
        const bool open = last_open && k + 1 == common;
        same = open ? following[k].starts_with(own[i + k]) : following[k] == own[i + k];
      }
      if (same) return text.substr(0, offset);
    }
    const std::size_t end = text.find('\n', offset);
    offset = end == std::string_view::npos ? text.size() : end + 1;
  }
  return text;
}

bool completes_to_next_line(std::string_view text, const CursorPlace& place) {
  if (place.line_before.size() > kLongLineBytes || text.find('\n') != std::string_view::npos) return false;
  std::string line(place.line_before);
  line += text;
  line += place.line_after.substr(0, kLongLineBytes);
  return has_word(line) && trimmed(line) == trimmed(place.next_line);
}

// The model's budget ran out in the middle of a line: only the whole lines before it count, if there are any.
std::string_view whole_lines(std::string_view text) {
  const std::size_t last = text.rfind('\n');
  if (last == std::string_view::npos || trimmed(text.substr(0, last)).empty()) return text;
  return text.substr(0, last);
}

// Small models fall into loops. The same line three times in a row: one of them may have been meant.
std::string_view without_repeated_lines(std::string_view text) {
  std::size_t begin = text.find('\n');
  std::string_view last;
  std::size_t last_end = begin, times = 0;
  while (begin != std::string_view::npos) {
    const std::size_t end = std::min(text.find('\n', begin + 1), text.size());
    const std::string_view line = text.substr(begin + 1, end - begin - 1);
    times = has_word(line) && line == last ? times + 1 : 1;
    if (times == 1) last_end = end;
    if (times == kLoopTimes) return text.substr(0, last_end);
    last = line;
    begin = end < text.size() ? end : std::string_view::npos;
  }
  return text;
}

// The same few characters over and over until the tokens ran out.
bool ends_in_loop(std::string_view text) {
  for (std::size_t period = 1; period * kLoopTimes <= text.size(); ++period) {
    const std::string_view tail = text.substr(text.size() - period * kLoopTimes);
    if (tail.size() >= kLoopBytes && tail.substr(period) == tail.substr(0, tail.size() - period)) return true;
  }
  return false;
}

// Nor a backslash that holds a statement open for what does not come.
std::string_view without_open_line(std::string_view text, const StopRules& rules) {
  text = trimmed_right(text);
  CodeScanner scanner = rules.edge.at_cursor;
  scanner.feed(text);
  return scanner.kind() == TextKind::kCode && scanner.escaped() ? trimmed_right(text.substr(0, text.size() - 1)) : text;
}

// The text as the filters leave it, and what each of them took away.
class Steps {
 public:
  explicit Steps(std::string_view text) : text_(text) {}
  [[nodiscard]] std::string_view text() const { return text_; }
  void take(std::string_view filter, std::string_view left) {
    if (left.size() < text_.size()) steps_.push_back({filter, text_.size() - left.size()});
    text_ = left;
  }
  Filtered nothing(std::string_view reason) && { return {{}, reason, std::move(steps_)}; }
  Filtered something() && { return {std::string(text_), {}, std::move(steps_)}; }

 private:
  std::string_view text_;
  std::vector<FilterStep> steps_;
};

// A blank is there already.
std::string_view without_leading_blanks(std::string_view text, const CursorPlace& place) {
  const bool after_word = !trimmed(place.line_before).empty() && place.line_before.back() == ' ';
  return after_word ? text.substr(std::min(text.find_first_not_of(' '), text.size())) : text;
}

}  // namespace

Filtered filter_text(std::string_view generated, const CursorPlace& place, const StopRules& rules,
                     FinishReason finish) {
  Steps steps(generated);
  steps.take("control characters", printable(generated));
  const std::optional<std::size_t> keep = enough(rules, steps.text());
  if (keep) steps.take("end of the block", steps.text().substr(0, *keep));
  if (!keep && finish == FinishReason::kLength) {
    if (ends_in_loop(steps.text())) return std::move(steps).nothing("repeats itself");
    steps.take("unfinished line", whole_lines(steps.text()));
  }
  steps.take("repeated lines", without_repeated_lines(steps.text()));
  steps.take("leading blanks", without_leading_blanks(steps.text(), place));
  if (trimmed(steps.text()).empty()) return std::move(steps).nothing("empty");

  steps.take("rest of the line", without_line_rest(steps.text(), place, rules));
  steps.take("lines below", without_following_lines(steps.text(), place, rules.max_lines));
  if (trimmed(steps.text()).empty()) return std::move(steps).nothing("repeats the suffix");
  const auto cut = over_closing(rules.edge.at_cursor, steps.text(), place.after);
  if (cut) steps.take("brackets", steps.text().substr(0, *cut));
  steps.take("trailing blanks", without_open_line(steps.text(), rules));
  if (steps.text().empty()) return std::move(steps).nothing("unbalanced brackets");
  if (completes_to_next_line(steps.text(), place)) return std::move(steps).nothing("repeats the next line");
  return std::move(steps).something();
}

std::string with_line_ends(std::string_view text, const CursorPlace& place) {
  if (!place.crlf) return std::string(text);
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

}  // namespace weft::generation
