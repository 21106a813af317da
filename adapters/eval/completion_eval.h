// How good the offered completions are on held-out Python files: whole lines through the same CompletionService as the
// editor's, and next tokens through the model itself. Deterministic for a seed, but for the latencies.
// Runs on the caller's thread. The service's engine should be in sync mode (threads = 0), or idle while tokens are
// scored: then the runner that the engine holds may be given as `scorer`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"
#include "model/base/clock.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::adapters {

struct CompletionEvalOptions {
  std::string directory{};           // searched for *.py in sorted order; or
  std::vector<std::string> files{};  // these, in this order
  std::size_t max_files = 100;
  std::size_t max_positions = 200;  // cursor places in all, spread over the files
  std::size_t places_per_file = 4;
  std::size_t limit_bytes = 1 << 20;  // larger files are skipped
  std::size_t window_tokens = 512;    // a scored window starts with no context
  std::size_t max_windows = 8;        // 0: no token scoring
  std::uint64_t seed = 1;
  bool keeps_places = false;  // fills the report's `places`
};

// What was offered at one place, and whether it was right.
struct PlaceScore {
  generation::ScoreParts parts;
  bool exact = false;
  double similarity = 0;
};

struct CompletionEvalReport {
  std::string model;
  std::size_t files = 0;
  // Lines: the rest of the line at the cursor, trailing blanks aside.
  std::size_t positions = 0, answered = 0;
  double answered_share = 0;        // positions for which anything was offered
  double line_exact_match = 0;      // of all positions
  double mean_edit_similarity = 0;  // of all positions; 1 - Levenshtein distance / longer length; 0 where unanswered
  double latency_p50_ms = 0, latency_p95_ms = 0;
  // Tokens: of held-out text, left to right.
  std::size_t scored_tokens = 0, scored_bytes = 0;
  double bits_per_byte = 0;
  double next_token_accuracy = 0;
  std::vector<PlaceScore> places;  // of those that were answered
};

struct CompletionEvalHooks {
  model::ModelRunner* scorer = nullptr;           // null: no token scoring
  const model::Tokenizer* tokenizer = nullptr;    // needed with a scorer
  const Clock* clock = nullptr;                   // for the latencies; null: they are taken from the service's timings
  std::function<void(double fraction)> progress;  // may be empty
};

// Errors: no file found, a file that cannot be read, a failing service or runner.
Expected<CompletionEvalReport> evaluate_completion(const CompletionEvalOptions& options,
                                                   generation::CompletionService& service,
                                                   const CompletionEvalHooks& hooks);
std::string to_json(const CompletionEvalReport& report);  // one object, indented

// Pure helpers, public for their tests.
// Bytes of insertions, deletions and replacements between the two.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// Cursor offsets in `text`, ascending: half after a line's indentation, half inside a line. Same seed, same places.
[[nodiscard]] std::vector<std::size_t> choose_places(std::string_view text, std::size_t count, std::uint64_t seed);

}  // namespace weft::adapters
