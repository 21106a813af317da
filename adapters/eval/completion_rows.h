// A report on completions in rows: a language, a direction and a kind of place each, and what they come to together.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/eval/completion_eval.h"

namespace weft::adapters {

// "all" stands for those together. Shares are of the places, but for the precision.
struct CompletionRow {
  std::string language = "all", direction = "all", place = "all";
  std::size_t positions = 0;
  double answered_share = 0;  // places for which anything was offered, sure or not
  double line_exact_match = 0;
  double mean_edit_similarity = 0;
  double shown_rate = 0;
  double precision_of_shown = 0;  // the share of what is shown whose first line is exactly right
  std::size_t further_lines = 0;  // suggestions shown with more than a line, and of them those that are right in all
  double further_lines_exact = 0;
  std::size_t added_syntax_errors = 0;  // suggestions that do not fit where they are
  double latency_p50_ms = 0, latency_p95_ms = 0;
  // Of lines that were typed key by key; only where `place` is "all".
  std::size_t typed_lines = 0, typed_characters = 0;
  double characters_saved = 0;
  std::size_t lexical_tokens = 0;
  double next_lexical_token_accuracy = 0;
};

// By language and direction: each kind of place, then both; with several languages, the same of all; and at last the
// whole.
[[nodiscard]] std::vector<CompletionRow> rows_of(const CompletionEvalReport& report);

[[nodiscard]] bool has_further_lines(const PlaceScore& place);  // what is offered there

struct CompletionJson {
  std::string memory;   // how far it reached, as the command names it
  bool places = false;  // each place too
};
[[nodiscard]] std::string to_json(const CompletionEvalReport& report, const CompletionJson& what);
// A small table.
[[nodiscard]] std::string to_text(const CompletionEvalReport& report);

}  // namespace weft::adapters
