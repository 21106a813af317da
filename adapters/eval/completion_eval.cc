#include "adapters/eval/completion_eval.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "adapters/eval/eval_files.h"
#include "adapters/eval/lexical.h"
#include "adapters/eval/token_scores.h"
#include "adapters/eval/typing.h"
#include "generation/completion/threshold.h"
#include "generation/syntax/gate.h"

namespace weft::adapters {
namespace {

using generation::CompletionItem;
using generation::CompletionResult;

double similarity(std::string_view a, std::string_view b) {
  const std::size_t longer = std::max(a.size(), b.size());
  if (longer == 0) return 1;
  return 1 - static_cast<double>(edit_distance(a, b)) / static_cast<double>(longer);
}

// The file as it was when its author had come to the place: the line's rest is not there yet, and from left to right
// nothing behind it.
std::string text_at(const EvalFile& file, std::size_t place, std::size_t line_end, Direction direction) {
  std::string text = file.text.substr(0, place);
  if (direction == Direction::kInfilling) text += std::string_view(file.text).substr(line_end);
  return text;
}

bool adds_error(const generation::CompletionRequest& request, std::string_view offered) {
  const generation::Language& language = generation::language_for(request.document.language, request.document.path);
  auto gate = generation::SyntaxGate::make(language, *request.document.text, request.cursor);
  return gate && gate->errors_added(offered) > 0;
}

// The lines behind the first are those that follow in the file.
bool further_exact(std::string_view offered, std::string_view following) {
  const std::size_t newline = offered.find('\n');
  if (newline == std::string_view::npos || !following.starts_with(offered.substr(newline))) return false;
  return first_line(following.substr(offered.size() - newline)).empty();
}

class Evaluation {
 public:
  Evaluation(generation::CompletionService& service, const CompletionEvalHooks& hooks)
      : service_(&service), hooks_(&hooks) {}

  Expected<void> score_place(const EvalFile& file, std::size_t place, Direction direction) {
    const std::size_t line_end = std::min(file.text.find('\n', place), file.text.size());
    const std::string_view text = file.text;
    const generation::CompletionRequest request = request_at(file, place, line_end, direction);
    const TimePoint begun = now();
    const auto result = service_->complete_now(request);
    if (!result) return result.error();
    PlaceScore score{.path = file.path, .language = file.language, .direction = direction, .offset = place};
    score.latency_ms = hooks_->clock != nullptr ? milliseconds_between(begun, now()) : result->timings.total_ms;
    const std::size_t newline = place == 0 ? std::string_view::npos : text.rfind('\n', place - 1);
    const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    const bool inside = !first_line(text.substr(line_begin, place - line_begin)).empty();
    score.kind = inside ? PlaceKind::kInside : PlaceKind::kLineStart;
    score.expected = first_line(text.substr(place, line_end - place));
    score.reason = result->reason;
    if (!result->candidates.empty()) score.generated = result->candidates.front().generated;
    if (!result->items.empty()) {
      const CompletionItem& item = result->items.front();
      const std::string_view line = first_line(item.text);
      score.offered = item.text;
      score.parts = item.parts;
      score.shown = generation::sure_enough(item.parts, hooks_->calibration);
      score.exact = line == score.expected;
      score.similarity = similarity(line, score.expected);
      score.further_exact = direction == Direction::kLeftToRight && further_exact(item.text, text.substr(line_end));
      score.adds_error = adds_error(request, item.text);
    }
    report_.model = result->model;
    report_.places.push_back(std::move(score));
    return {};
  }

  Expected<void> score_line(const EvalFile& file, TextLine line, Direction direction) {
    LineScore score{.language = file.language, .direction = direction};
    std::map<std::size_t, std::optional<CompletionItem>> known;  // what was offered, by place
    const auto offered_at = [&](std::size_t place) -> Expected<const CompletionItem*> {
      auto found = known.find(place);
      if (found == known.end()) {
        auto result = service_->complete_now(request_at(file, place, line.end, direction));
        if (!result) return result.error();
        std::optional<CompletionItem> first;
        if (!result->items.empty()) first = std::move(result->items.front());
        found = known.emplace(place, std::move(first)).first;
      }
      return found->second ? &*found->second : nullptr;
    };
    const auto typed = type_line(std::string_view(file.text).substr(line.begin, line.end - line.begin),
                                 [&](std::size_t typed_bytes) -> Expected<std::string> {
                                   const auto item = offered_at(line.begin + typed_bytes);
                                   if (!item) return item.error();
                                   const bool shown =
                                       *item != nullptr && generation::sure_enough((*item)->parts, hooks_->calibration);
                                   return shown ? (*item)->text : std::string();
                                 });
    if (!typed) return typed.error();
    score.characters = typed->characters;
    score.keys = typed->keys;
    for (const generation::ByteRange token : tokens_of(file, line)) {
      const auto item = offered_at(token.begin);
      if (!item) return item.error();
      const std::string_view text = std::string_view(file.text).substr(token.begin, token.end - token.begin);
      ++score.tokens;
      score.right_tokens += *item != nullptr && begins_with_token((*item)->text, text) ? 1 : 0;
    }
    report_.lines.push_back(score);
    return {};
  }

  CompletionEvalReport take() && { return std::move(report_); }

 private:
  [[nodiscard]] TimePoint now() const { return hooks_->clock != nullptr ? hooks_->clock->now() : TimePoint(); }

  generation::CompletionRequest request_at(const EvalFile& file, std::size_t place, std::size_t line_end,
                                           Direction direction) {
    if (file.project != project_) {
      project_ = file.project;
      service_->read_project(project_);
    }
    generation::CompletionRequest request;
    auto text = std::make_shared<const std::string>(text_at(file, place, line_end, direction));
    request.document = {file.path, "", std::move(text), ++version_};
    request.cursor = place;
    request.root = file.project;
    request.session = name_of(direction);
    return request;
  }

  std::vector<generation::ByteRange> tokens_of(const EvalFile& file, TextLine line) {
    const generation::Language& language = generation::language_for("", file.path);
    if (parsed_ != file.path) {
      auto tree = generation::SyntaxTree::parse(language, file.text);
      tree_ = tree ? std::optional(std::move(*tree)) : std::nullopt;
      parsed_ = file.path;
    }
    if (!tree_) return {};
    return lexical_tokens(language, *tree_, {line.begin, line.end});
  }

  generation::CompletionService* service_;
  const CompletionEvalHooks* hooks_;
  CompletionEvalReport report_;
  std::int64_t version_ = 0;
  std::string project_;  // the last one read
  std::string parsed_;   // the path of `tree_`
  std::optional<generation::SyntaxTree> tree_;
};

// How many of `all` are file i's, of so many files: they are spread evenly.
std::size_t part_of(std::size_t all, std::size_t i, std::size_t files) {
  return (i + 1) * all / files - i * all / files;
}

Expected<CompletionEvalReport> score_files(const std::vector<EvalFile>& files, const CompletionEvalOptions& options,
                                           generation::CompletionService& service, const CompletionEvalHooks& hooks,
                                           const std::function<void(double)>& progress) {
  Evaluation evaluation(service, hooks);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const EvalFile& file = files[i];
    const auto places = choose_places(file.text, part_of(options.max_positions, i, files.size()), options.seed + i);
    const auto lines = choose_lines(file.text, part_of(options.max_lines, i, files.size()), options.seed + i);
    for (const Direction direction : kDirections) {
      for (const std::size_t place : places) {
        if (auto scored = evaluation.score_place(file, place, direction); !scored) return scored.error();
      }
      for (const TextLine line : lines) {
        if (auto scored = evaluation.score_line(file, line, direction); !scored) return scored.error();
      }
    }
    progress(static_cast<double>(i + 1) / static_cast<double>(files.size()));
  }
  return std::move(evaluation).take();
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

void fill(CompletionEvalReport& report, const TokenScores& scores) {
  report.scored_tokens = scores.tokens;
  report.scored_bytes = scores.bytes;
  if (scores.bytes > 0) report.bits_per_byte = scores.bits / static_cast<double>(scores.bytes);
  if (scores.tokens > 0) {
    report.next_token_accuracy = static_cast<double>(scores.right) / static_cast<double>(scores.tokens);
  }
}

}  // namespace

std::string_view name_of(Direction direction) {
  return direction == Direction::kLeftToRight ? "left to right" : "infilling";
}

std::string_view name_of(PlaceKind kind) { return kind == PlaceKind::kLineStart ? "line start" : "inside"; }

Expected<CompletionEvalReport> evaluate_completion(const CompletionEvalOptions& options,
                                                   generation::CompletionService& service,
                                                   const CompletionEvalHooks& hooks) {
  auto files = read_eval_files(options);
  if (!files) return files.error();
  const bool scores_tokens = hooks.scorer != nullptr && options.max_windows > 0;
  if (scores_tokens && hooks.tokenizer == nullptr) return make_error("scoring tokens needs a tokenizer");
  const double tokens_share = scores_tokens ? 0.1 : 0;
  const auto progress = [&hooks](double fraction) {
    if (hooks.progress) hooks.progress(fraction);
  };
  // First: later on the engine holds what memory the model has for keys and values.
  TokenScores tokens;
  if (scores_tokens) {
    const auto scored = score_windows(*files, options, hooks, [&](double part) { progress(tokens_share * part); });
    if (!scored) return scored.error();
    tokens = *scored;
  }
  auto report = score_files(*files, options, service, hooks,
                            [&](double part) { progress(tokens_share + (1 - tokens_share) * part); });
  if (!report) return report.error();
  report->files = files->size();
  if (report->model.empty() && scores_tokens) report->model = hooks.scorer->info().name;
  fill(*report, tokens);
  progress(1);
  return report;
}

}  // namespace weft::adapters
