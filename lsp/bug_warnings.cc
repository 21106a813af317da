#include "lsp/bug_warnings.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "generation/syntax/functions.h"
#include "lsp/code_action.h"
#include "lsp/workspace_edit.h"

namespace weft::lsp {
namespace {

using adapters::Bug;
using generation::ByteRange;

constexpr int kSeverityHint = 4;  // DiagnosticSeverity.Hint
// From here on a fix is the one that an editor's "auto fix" may take.
constexpr double kCertain = 0.95;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

// The line that `offset` is on, without indentation and line end.
std::string_view line_content(std::string_view text, std::size_t offset) {
  std::size_t begin = line_begin(text, offset);
  std::size_t end = std::min(text.find_first_of("\r\n", offset), text.size());
  while (begin < end && is_blank(text[begin])) ++begin;
  while (end > begin && is_blank(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

std::string_view part(std::string_view text, ByteRange range) {
  return text.substr(range.begin, range.end - range.begin);
}

std::ptrdiff_t line_ends(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; });
}

bool touches(ByteRange a, ByteRange b) { return a.begin < b.end && b.begin < a.end; }

// `range` where the texts agree, on its side of the difference; nothing when it reaches into it.
std::optional<ByteRange> moved(ByteRange range, const Difference& edit) {
  if (range.end <= edit.before.begin) return range;
  if (range.begin < edit.before.end) return std::nullopt;
  return ByteRange{range.begin - edit.before.end + edit.after.end, range.end - edit.before.end + edit.after.end};
}

// One line, short enough for a message.
std::string shown(std::string_view code) {
  constexpr std::size_t kLimitBytes = 120;
  const std::string_view content = line_content(code, 0);
  const bool whole = content.size() <= kLimitBytes && code.find('\n') == std::string_view::npos;
  std::size_t end = std::min(content.size(), kLimitBytes);
  while (end > 0 && end < content.size() && (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80) --end;
  return fmt::format("`{}{}`", content.substr(0, end), whole ? "" : " …");
}

}  // namespace

Difference difference(std::string_view before, std::string_view after) {
  const auto [stop, after_stop] = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  const auto common = static_cast<std::size_t>(stop - before.begin());
  const std::string_view before_rest = before.substr(common), after_rest = after.substr(common);
  const auto [back, after_back] =
      std::mismatch(before_rest.rbegin(), before_rest.rend(), after_rest.rbegin(), after_rest.rend());
  const auto common_end = static_cast<std::size_t>(back - before_rest.rbegin());
  return {{common, before.size() - common_end}, {common, after.size() - common_end}};
}

CarriedOver carry_over(std::vector<Bug> bugs, std::string_view before, std::string_view after) {
  const Difference edit = difference(before, after);
  const bool other_lines = line_ends(part(before, edit.before)) != line_ends(part(after, edit.after));
  CarriedOver out;
  for (Bug& bug : bugs) {
    const auto line = moved(bug.line, edit);
    const auto fix = bug.fix ? moved(bug.fix->range, edit) : std::nullopt;
    // Its bytes may all be there and the line another one: typed before or behind them.
    const bool same = line && line_content(after, line->begin) == part(before, bug.line);
    if (!same || fix.has_value() != bug.fix.has_value()) {
      out.look_different = true;
      continue;
    }
    const bool behind = line->begin != bug.line.begin;
    const std::size_t indentation = bug.line.begin - line_begin(before, bug.line.begin);
    out.look_different |= (behind && other_lines) || indentation != line->begin - line_begin(after, line->begin);
    bug.line = *line;
    if (fix) bug.fix->range = *fix;
    out.bugs.push_back(std::move(bug));
  }
  return out;
}

Expected<std::optional<CheckPlan>> plan_check(const generation::Language& language,
                                              std::optional<std::string_view> before, std::string_view now) {
  using Plan = std::optional<CheckPlan>;
  if (now.empty() || before == now) return Plan{};
  if (!before) return Plan(CheckPlan{{}, {{0, now.size()}}});
  const auto tree = generation::SyntaxTree::parse(language, now);
  if (!tree) return tree.error();
  // A byte more on each side: where something was taken away, nothing is left to hold.
  ByteRange changed = difference(*before, now).after;
  if (changed.begin > 0) --changed.begin;
  changed.end = std::min(changed.end + 1, now.size());
  CheckPlan plan{changed, {}};
  for (const generation::FunctionParts& function : generation::functions_of(language, *tree, now)) {
    const ByteRange lines{line_begin(now, function.whole.begin), function.whole.end};
    if (touches(lines, changed)) plan.checked.push_back(lines);
  }
  return plan.checked.empty() ? Plan{} : Plan(std::move(plan));
}

Json diagnostic_json(const Bug& bug, std::string_view text, PositionEncoding encoding) {
  const Range range{position_of(text, bug.line.begin, encoding), position_of(text, bug.line.end, encoding)};
  Json data = {{"probability", std::round(bug.probability * 1e4) / 1e4}};
  std::string message = "Possible bug in this line.";
  if (bug.fix) {
    data["fix"] = to_json(*bug.fix, text, encoding);
    message = fmt::format("Possible bug: should this be {}?", shown(bug.fix->text));
  }
  return {{"range", to_json(range)}, {"severity", kSeverityHint}, {"code", "possible-bug"},
          {"source", "weft"},        {"message", message},        {"data", std::move(data)}};
}

Json quick_fix_json(const Bug& bug, const Document& document, PositionEncoding encoding,
                    const ClientCapabilities& client, const Json& client_diagnostics) {
  if (!bug.fix) return nullptr;
  Json diagnostic = diagnostic_json(bug, *document.text, encoding);
  for (const Json& other : client_diagnostics) {
    if (!other.is_object() || other.value("source", Json()) != "weft") continue;
    if (other.value("range", Json()) == diagnostic.at("range")) diagnostic = other;
  }
  Json edit = workspace_edit(document, to_json(*bug.fix, *document.text, encoding), client);
  Json out = {{"title", fmt::format("Replace with {}", shown(bug.fix->text))},
              {"kind", kQuickFixKind},
              {"diagnostics", Json::array({std::move(diagnostic)})},
              {"edit", std::move(edit)}};
  if (client.code_action.preferred && bug.probability >= kCertain) out["isPreferred"] = true;
  return out;
}

}  // namespace weft::lsp
