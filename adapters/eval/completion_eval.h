// How good the offered completions are on held-out files, through the same CompletionService as the editor's: the rest
// of lines, at places and key by key, with the text behind the line and without; and next tokens through the model
// alone. Deterministic for a seed, but for the latencies.
// Runs on the caller's thread. The service's engine should be in sync mode (threads = 0), or idle while tokens are
// scored: then the runner that the engine holds may be given as `scorer`. The service should show what it is unsure of
// (CompletionOptions::shows_unsure) and remember no results (cache_entries = 0): what of it would be shown is decided
// here, by the same calibration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/eval/places.h"
#include "generation/completion/completion.h"
#include "model/base/clock.h"
#include "model/base/expected.h"
#include "model/runner.h"

namespace weft::adapters {

struct CompletionEvalOptions {
  std::string directory{};           // searched for files of the languages that are measured, see eval_files.h; or
  std::vector<std::string> files{};  // these, in this order
  std::size_t max_files = 100;
  std::size_t max_positions = 200;    // cursor places in all, spread over the files; each is asked in both directions
  std::size_t max_lines = 40;         // typed key by key, likewise; 0: none
  std::size_t limit_bytes = 1 << 20;  // larger files are skipped
  std::size_t window_tokens = 512;    // a scored window starts with no context
  std::size_t max_windows = 8;        // 0: no token scoring
  std::uint64_t seed = 1;
};

enum class Direction : std::uint8_t { kLeftToRight, kInfilling };  // the rest of the file is not there, or it is
inline constexpr std::array kDirections = {Direction::kLeftToRight, Direction::kInfilling};
enum class PlaceKind : std::uint8_t { kLineStart, kInside };  // at the first character that is not blank; behind it
[[nodiscard]] std::string_view name_of(Direction direction);
[[nodiscard]] std::string_view name_of(PlaceKind kind);

// What was offered at one place, and whether it was right. The rest of the place's line is not in the text.
struct PlaceScore {
  std::string path{};
  std::string_view language{};
  Direction direction = Direction::kLeftToRight;
  PlaceKind kind = PlaceKind::kLineStart;
  std::size_t offset = 0;  // byte offset of the place
  std::string expected{};  // the rest of the line, without blanks at its end
  std::string offered{};   // empty: nothing, for this reason
  std::string reason{};
  std::string generated{};  // what the model wrote, before the filters
  generation::ScoreParts parts{};
  bool shown = false;          // something is offered, and surely enough
  bool exact = false;          // its first line is the rest of the line
  bool further_exact = false;  // it has further lines, which are those that follow in the file
  double similarity = 0;       // 1 - Levenshtein distance / longer length, of the two lines; 0 where unanswered
  bool adds_error = false;     // by the syntax gate's own rule
  double latency_ms = 0;
};

// A line that was typed key by key (typing.h), and its lexical tokens (lexical.h), each asked for at its beginning.
struct LineScore {
  std::string_view language{};
  Direction direction = Direction::kLeftToRight;
  std::size_t characters = 0, keys = 0;
  std::size_t tokens = 0, right_tokens = 0;  // none where the language has no grammar
};

struct CompletionEvalReport {
  std::string model;
  std::size_t files = 0;
  std::vector<PlaceScore> places;
  std::vector<LineScore> lines;
  // Tokens of held-out text, left to right, by the model alone.
  std::size_t scored_tokens = 0, scored_bytes = 0;
  double bits_per_byte = 0;
  double next_token_accuracy = 0;
};

struct CompletionEvalHooks {
  model::ModelRunner* scorer = nullptr;                  // null: no token scoring
  const model::Tokenizer* tokenizer = nullptr;           // needed with a scorer
  const generation::Calibration* calibration = nullptr;  // the service's; null: all is shown
  const Clock* clock = nullptr;                   // for the latencies; null: they are taken from the service's timings
  std::function<void(double fraction)> progress;  // may be empty
};

// Errors: no file found, a file that cannot be read, a failing service or runner.
Expected<CompletionEvalReport> evaluate_completion(const CompletionEvalOptions& options,
                                                   generation::CompletionService& service,
                                                   const CompletionEvalHooks& hooks);

}  // namespace weft::adapters
