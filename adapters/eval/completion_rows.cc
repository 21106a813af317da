#include "adapters/eval/completion_rows.h"

#include <array>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adapters/eval/statistics.h"
#include "adapters/eval/typing.h"

namespace weft::adapters {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kKinds = {PlaceKind::kLineStart, PlaceKind::kInside};

// Nothing stands for all of them.
struct Which {
  std::string_view language{};
  std::optional<Direction> direction{};
  std::optional<PlaceKind> kind{};

  template <class Score>
  [[nodiscard]] bool has(const Score& score) const {
    return (language.empty() || score.language == language) && (!direction || score.direction == *direction);
  }
  [[nodiscard]] bool has(const PlaceScore& score) const {
    return has<PlaceScore>(score) && (!kind || score.kind == *kind);
  }
};

double share(double part, std::size_t whole) { return whole == 0 ? 0 : part / static_cast<double>(whole); }

void add_places(CompletionRow& row, const CompletionEvalReport& report, const Which& which) {
  std::size_t answered = 0, exact = 0, shown = 0, shown_exact = 0, further_exact = 0;
  double similarity = 0;
  std::vector<double> latencies;
  for (const PlaceScore& place : report.places) {
    if (!which.has(place)) continue;
    ++row.positions;
    latencies.push_back(place.latency_ms);
    similarity += place.similarity;
    answered += place.offered.empty() ? 0 : 1;
    exact += place.exact ? 1 : 0;
    row.added_syntax_errors += place.adds_error ? 1 : 0;
    if (!place.shown) continue;
    ++shown;
    shown_exact += place.exact ? 1 : 0;
    if (!has_further_lines(place)) continue;
    ++row.further_lines;
    further_exact += place.exact && place.further_exact ? 1 : 0;
  }
  row.answered_share = share(static_cast<double>(answered), row.positions);
  row.line_exact_match = share(static_cast<double>(exact), row.positions);
  row.mean_edit_similarity = share(similarity, row.positions);
  row.shown_rate = share(static_cast<double>(shown), row.positions);
  row.precision_of_shown = share(static_cast<double>(shown_exact), shown);
  row.further_lines_exact = share(static_cast<double>(further_exact), row.further_lines);
  row.latency_p50_ms = percentile(latencies, 0.5);
  row.latency_p95_ms = percentile(std::move(latencies), 0.95);
}

void add_lines(CompletionRow& row, const CompletionEvalReport& report, const Which& which) {
  std::size_t keys = 0, right = 0;
  for (const LineScore& line : report.lines) {
    if (!which.has(line)) continue;
    ++row.typed_lines;
    row.typed_characters += line.characters;
    row.lexical_tokens += line.tokens;
    keys += line.keys;
    right += line.right_tokens;
  }
  if (row.typed_characters > 0) row.characters_saved = 1 - share(static_cast<double>(keys), row.typed_characters);
  row.next_lexical_token_accuracy = share(static_cast<double>(right), row.lexical_tokens);
}

CompletionRow row_of(const CompletionEvalReport& report, const Which& which) {
  CompletionRow row;
  if (!which.language.empty()) row.language = which.language;
  if (which.direction) row.direction = name_of(*which.direction);
  if (which.kind) row.place = name_of(*which.kind);
  add_places(row, report, which);
  if (!which.kind) add_lines(row, report, which);
  return row;
}

Json to_json(const CompletionRow& row) {
  Json json = {{"language", row.language},
               {"direction", row.direction},
               {"place", row.place},
               {"positions", row.positions},
               {"answered_share", row.answered_share},
               {"line_exact_match", row.line_exact_match},
               {"mean_edit_similarity", row.mean_edit_similarity},
               {"shown_rate", row.shown_rate},
               {"precision_of_shown", row.precision_of_shown},
               {"further_lines", row.further_lines},
               {"further_lines_exact", row.further_lines_exact},
               {"added_syntax_errors", row.added_syntax_errors},
               {"latency_p50_ms", row.latency_p50_ms},
               {"latency_p95_ms", row.latency_p95_ms}};
  if (row.typed_lines == 0) return json;
  json.update({{"typed_lines", row.typed_lines},
               {"typed_characters", row.typed_characters},
               {"characters_saved", row.characters_saved},
               {"lexical_tokens", row.lexical_tokens},
               {"next_lexical_token_accuracy", row.next_lexical_token_accuracy}});
  return json;
}

Json to_json(const generation::LineLikelihood& lines) {
  return {{"tokens", lines.tokens}, {"logprob", lines.logprob}, {"worst_logprob", lines.worst_logprob}};
}

Json to_json(const PlaceScore& place) {
  const generation::ScoreParts& parts = place.parts;
  return {{"path", place.path},
          {"offset", place.offset},
          {"language", place.language},
          {"direction", name_of(place.direction)},
          {"place", name_of(place.kind)},
          {"expected", place.expected},
          {"offered", place.offered},
          {"reason", place.reason},
          {"generated", place.generated},
          {"shown", place.shown},
          {"exact", place.exact},
          {"further_exact", place.further_exact},
          {"similarity", place.similarity},
          {"adds_error", place.adds_error},
          {"confidence", parts.confidence ? Json(*parts.confidence) : Json()},
          {"first_line", to_json(parts.first_line)},
          {"further_lines", to_json(parts.further_lines)},
          {"cut", parts.cut},
          {"latency_ms", place.latency_ms}};
}

}  // namespace

bool has_further_lines(const PlaceScore& place) { return first_line(place.offered).size() < place.offered.size(); }

std::vector<CompletionRow> rows_of(const CompletionEvalReport& report) {
  std::set<std::string_view> languages;
  for (const PlaceScore& place : report.places) languages.insert(place.language);
  std::vector<std::string_view> groups(languages.begin(), languages.end());
  if (groups.size() > 1) groups.emplace_back();
  std::vector<CompletionRow> rows;
  for (const std::string_view language : groups) {
    for (const Direction direction : kDirections) {
      for (const PlaceKind kind : kKinds) rows.push_back(row_of(report, {language, direction, kind}));
      rows.push_back(row_of(report, {language, direction, {}}));
    }
  }
  rows.push_back(row_of(report, {}));
  return rows;
}

std::string to_json(const CompletionEvalReport& report, const CompletionJson& what) {
  Json json = {{"model", report.model},
               {"memory", what.memory},
               {"files", report.files},
               {"scored_tokens", report.scored_tokens},
               {"scored_bytes", report.scored_bytes},
               {"bits_per_byte", report.bits_per_byte},
               {"next_token_accuracy", report.next_token_accuracy}};
  std::vector<CompletionRow> rows = rows_of(report);
  json["total"] = to_json(rows.back());
  rows.pop_back();
  json["rows"] = Json::array();
  for (const CompletionRow& row : rows) json["rows"].push_back(to_json(row));
  if (what.places) {
    for (const PlaceScore& place : report.places) json["places"].push_back(to_json(place));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const CompletionEvalReport& report) {
  std::string out = fmt::format("{}, {} files", report.model, report.files);
  if (report.scored_tokens > 0) {
    out += fmt::format(": {:.3f} bits a byte, {:.1f} % of next tokens by the model alone", report.bits_per_byte,
                       100 * report.next_token_accuracy);
  }
  out += fmt::format("\n{:<11}{:<14}{:<11}{:>7}{:>7}{:>8}{:>7}{:>11}{:>7}{:>7}{:>8}{:>7}{:>7}\n", "language",
                     "direction", "place", "places", "exact", "similar", "shown", "precision", "errors", "saved",
                     "lexical", "p50", "p95");
  for (const CompletionRow& row : rows_of(report)) {
    const std::string saved = row.typed_lines > 0 ? fmt::format("{:.1f}", 100 * row.characters_saved) : "";
    const std::string lexical =
        row.lexical_tokens > 0 ? fmt::format("{:.1f}", 100 * row.next_lexical_token_accuracy) : "";
    out += fmt::format("{:<11}{:<14}{:<11}{:>7}{:>7.1f}{:>8.3f}{:>7.1f}{:>11.1f}{:>7}{:>7}{:>8}{:>7.0f}{:>7.0f}\n",
                       row.language, row.direction, row.place, row.positions, 100 * row.line_exact_match,
                       row.mean_edit_similarity, 100 * row.shown_rate, 100 * row.precision_of_shown,
                       row.added_syntax_errors, saved, lexical, row.latency_p50_ms, row.latency_p95_ms);
  }
  return out + "exact, shown, precision, saved (characters) and lexical (tokens) in %; p50 and p95 in milliseconds\n";
}

}  // namespace weft::adapters
