#include "generation/completion/stop.h"

#include <algorithm>
#include <utility>

namespace weft::generation {
namespace {

class RuledStop final : public StopCondition {
 public:
  explicit RuledStop(StopRules rules) : rules_(std::move(rules)) {}
  [[nodiscard]] std::optional<std::size_t> check(std::string_view text) const override { return enough(rules_, text); }

 private:
  StopRules rules_;
};

std::optional<std::size_t> sooner(std::optional<std::size_t> a, std::optional<std::size_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// The first line end at which the rules are content, by reading the finished lines from the first.
std::optional<std::size_t> enough_lines(const StopRules& rules, std::string_view text) {
  CodeScanner scanner = rules.edge.at_cursor;
  bool something = !scanner.line_blank();
  std::size_t lines = 0;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(begin, end - begin);
    const bool blank = trimmed(line).empty();
    if (rules.extent == Extent::kBlock && blank && begin > 0 && something && scanner.at_rest()) return begin - 1;
    scanner.feed(line);
    something = something || !blank;
    if (!(blank && begin == 0)) ++lines;
    if (lines >= rules.max_lines) return end;
    const bool closed = scanner.depth() <= rules.edge.line_depth && scanner.kind() != TextKind::kString;
    if (rules.extent == Extent::kStatement && something && closed && !scanner.escaped()) return end;
    scanner.feed("\n");
    begin = end + 1;
  }
}

}  // namespace

StopRules choose_stop_rules(const CursorPlace& place, Trigger trigger, std::size_t max_lines) {
  StopRules rules{Extent::kLine, std::max<std::size_t>(max_lines, 1), block_edge(*place.language, place.before)};
  const CodeScanner& scanner = rules.edge.at_cursor;
  if (!trimmed(place.line_after).empty() || scanner.kind() != TextKind::kCode) return rules;
  const bool blank_line = trimmed(place.line_before).empty() && scanner.depth() == 0;
  const bool may_be_block = blank_line || scanner.opens_block() || trigger == Trigger::kInvoked;
  rules.extent = may_be_block ? Extent::kBlock : Extent::kStatement;
  return rules;
}

// The whole text is read again at each token: it is some hundred bytes, and the rules then need no memory.
std::optional<std::size_t> enough(const StopRules& rules, std::string_view text) {
  if (rules.extent == Extent::kLine) {
    const std::size_t newline = text.find('\n');
    return newline == std::string_view::npos ? std::nullopt : std::optional(newline);
  }
  const std::optional<std::size_t> lines = enough_lines(rules, text);
  return rules.extent == Extent::kBlock ? sooner(lines, block_end(rules.edge, text)) : lines;
}

std::unique_ptr<StopCondition> make_stop(StopRules rules) { return std::make_unique<RuledStop>(std::move(rules)); }

}  // namespace weft::generation
