#include "adapters/eval/completion_eval.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "adapters/eval/eval_files.h"
#include "adapters/eval/statistics.h"
#include "adapters/eval/token_scores.h"

namespace weft::adapters {
namespace {

struct LineScores {
  std::size_t exact = 0, answered = 0, positions = 0;
  double similarity = 0;
  std::string model;
  std::vector<double> latencies_ms;
  std::vector<PlaceScore> places;  // answered
};

std::string_view without_trailing_blanks(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? std::string_view{} : line.substr(0, last + 1);
}

double similarity(std::string_view a, std::string_view b) {
  const std::size_t longer = std::max(a.size(), b.size());
  if (longer == 0) return 1;
  return 1 - static_cast<double>(edit_distance(a, b)) / static_cast<double>(longer);
}

// The file as it was when its author had come to the place: the line's rest is not there yet.
generation::CompletionRequest request_at(const EvalFile& file, std::size_t place, std::size_t line_end) {
  generation::CompletionRequest request;
  auto text = std::make_shared<std::string>(file.text);
  text->erase(place, line_end - place);
  request.document = {file.path, "python", std::move(text), static_cast<std::int64_t>(place)};
  request.cursor = place;
  request.session = "eval";
  return request;
}

Expected<void> score_place(const EvalFile& file, std::size_t place, generation::CompletionService& service,
                           const CompletionEvalHooks& hooks, LineScores& scores) {
  const std::size_t line_end = std::min(file.text.find('\n', place), file.text.size());
  const std::string_view expected =
      without_trailing_blanks(std::string_view(file.text).substr(place, line_end - place));
  const TimePoint begun = hooks.clock != nullptr ? hooks.clock->now() : TimePoint();
  const auto result = service.complete_now(request_at(file, place, line_end));
  if (!result) return result.error();
  scores.latencies_ms.push_back(hooks.clock != nullptr ? milliseconds_between(begun, hooks.clock->now())
                                                       : result->timings.total_ms);
  ++scores.positions;
  scores.model = result->model;
  if (result->items.empty()) return {};
  ++scores.answered;
  const std::string_view offered = result->items.front().text;
  const std::string_view line = without_trailing_blanks(offered.substr(0, offered.find('\n')));
  const PlaceScore score{result->items.front().parts, line == expected, similarity(line, expected)};
  scores.exact += score.exact ? 1 : 0;
  scores.similarity += score.similarity;
  scores.places.push_back(score);
  return {};
}

void fill(CompletionEvalReport& report, const LineScores& scores) {
  report.model = scores.model;
  report.positions = scores.positions;
  report.answered = scores.answered;
  report.latency_p50_ms = percentile(scores.latencies_ms, 0.5);
  report.latency_p95_ms = percentile(scores.latencies_ms, 0.95);
  if (scores.positions == 0) return;
  const auto positions = static_cast<double>(scores.positions);
  report.answered_share = static_cast<double>(scores.answered) / positions;
  report.line_exact_match = static_cast<double>(scores.exact) / positions;
  report.mean_edit_similarity = scores.similarity / positions;
}

void fill(CompletionEvalReport& report, const TokenScores& scores) {
  report.scored_tokens = scores.tokens;
  report.scored_bytes = scores.bytes;
  if (scores.bytes > 0) report.bits_per_byte = scores.bits / static_cast<double>(scores.bytes);
  if (scores.tokens > 0) {
    report.next_token_accuracy = static_cast<double>(scores.right) / static_cast<double>(scores.tokens);
  }
}

// Windows spread over the files, each from a line's beginning.
Expected<TokenScores> score_windows(const std::vector<EvalFile>& files, const CompletionEvalOptions& options,
                                    const CompletionEvalHooks& hooks, const std::function<void(double)>& progress) {
  TokenScorer scorer(*hooks.scorer, *hooks.tokenizer);
  const std::size_t windows = std::min(options.max_windows, files.size());
  for (std::size_t i = 0; i < windows; ++i) {
    const std::string& text = files[i * files.size() / windows].text;
    const auto places = choose_places(text, 1, options.seed);
    const std::size_t newline = places.empty() ? std::string::npos : text.rfind('\n', places[0]);
    const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
    if (auto scored = scorer.add(std::string_view(text).substr(begin), options.window_tokens); !scored) {
      return scored.error();
    }
    progress(static_cast<double>(i + 1) / static_cast<double>(windows));
  }
  return scorer.finish();
}

}  // namespace

Expected<CompletionEvalReport> evaluate_completion(const CompletionEvalOptions& options,
                                                   generation::CompletionService& service,
                                                   const CompletionEvalHooks& hooks) {
  auto files = read_eval_files(options);
  if (!files) return files.error();
  const bool scores_tokens = hooks.scorer != nullptr && options.max_windows > 0;
  if (scores_tokens && hooks.tokenizer == nullptr) return make_error("scoring tokens needs a tokenizer");
  const double line_share = scores_tokens ? 0.5 : 1;
  const auto progress = [&hooks](double fraction) {
    if (hooks.progress) hooks.progress(fraction);
  };
  CompletionEvalReport report;
  report.files = files->size();
  LineScores lines;
  for (std::size_t i = 0; i < files->size() && lines.positions < options.max_positions; ++i) {
    const EvalFile& file = (*files)[i];
    for (const std::size_t place : choose_places(file.text, options.places_per_file, options.seed + i)) {
      if (lines.positions == options.max_positions) break;
      if (auto scored = score_place(file, place, service, hooks, lines); !scored) return scored.error();
    }
    progress(line_share * static_cast<double>(i + 1) / static_cast<double>(files->size()));
  }
  fill(report, lines);
  if (options.keeps_places) report.places = std::move(lines.places);
  if (scores_tokens) {
    if (report.model.empty()) report.model = hooks.scorer->info().name;
    const auto tokens =
        score_windows(*files, options, hooks, [&](double part) { progress(line_share + (1 - line_share) * part); });
    if (!tokens) return tokens.error();
    fill(report, *tokens);
  }
  progress(1);
  return report;
}

std::string to_json(const CompletionEvalReport& report) {
  nlohmann::ordered_json json = {
      {"model", report.model},
      {"files", report.files},
      {"positions", report.positions},
      {"answered", report.answered},
      {"answered_share", report.answered_share},
      {"line_exact_match", report.line_exact_match},
      {"mean_edit_similarity", report.mean_edit_similarity},
      {"latency_p50_ms", report.latency_p50_ms},
      {"latency_p95_ms", report.latency_p95_ms},
      {"scored_tokens", report.scored_tokens},
      {"scored_bytes", report.scored_bytes},
      {"bits_per_byte", report.bits_per_byte},
      {"next_token_accuracy", report.next_token_accuracy},
  };
  for (const PlaceScore& place : report.places) {
    json["places"].push_back({{"mean_logprob", place.parts.mean_logprob},
                              {"worst_logprob", place.parts.worst_logprob},
                              {"tokens", place.parts.tokens},
                              {"exact", place.exact},
                              {"similarity", place.similarity}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weft::adapters
