// A function from what is said about it: the lines of a beam search, those that parse at their place first. The model
// sees what the screen leaves of the file; the answer is put together with the document's own signature.
#include <algorithm>
#include <cmath>
#include <utility>

#include "adapters/actions/action.h"
#include "adapters/actions/edits.h"
#include "adapters/actions/function_end.h"

namespace weft::adapters {
namespace {

using generation::GenerationRequest;
using generation::GenerationResult;
using generation::Hypothesis;

// How a function begins, so that a model that was never taught what a description asks for writes one too. Python is
// the one language with a grammar. An adapter has learnt it.
constexpr std::string_view kOpening = "def";
constexpr double kLengthExponent = 0.7;  // as in Hypothesis::score

Expected<FunctionRequestPlace> masked(const ActionParts& parts, const ScreenedDocument& document,
                                      FunctionRequestPlace place) {
  for (std::string* piece : {&place.context, &place.description, &place.signature}) {
    auto seen = parts.options.screen(document.path, *piece);
    if (!seen) return seen.error();
    *piece = std::move(*seen);
  }
  return place;
}

// As much of the end of the context as there is room for.
Expected<GenerationRequest> fitting_request(const ActionParts& parts, FunctionRequestPlace place, AdapterId adapter) {
  const Task& task = task_row("function-from-comment");
  for (;;) {
    const std::string prompt = function_prompt(place);
    auto request = request_of(parts, {task, prompt, adapter});
    if (request || place.context.empty()) return request;
    const std::size_t middle = place.context.find('\n', place.context.size() / 2);
    place.context.erase(0, middle == std::string::npos ? middle : middle + 1);
  }
}

std::vector<Hypothesis> hypotheses_of(GenerationResult result, std::string_view opening) {
  if (!result.hypotheses.empty()) {
    for (Hypothesis& each : result.hypotheses) each.text.insert(0, opening);
    return std::move(result.hypotheses);
  }
  const auto tokens = static_cast<double>(result.tokens.size());
  const double score = tokens == 0 ? 0 : result.mean_logprob * tokens / std::pow(tokens, kLengthExponent);
  return {{.text = std::string(opening) + result.text,
           .tokens = std::move(result.tokens),
           .score = score,
           .reason = result.reason}};
}

// With the document's line ends.
std::string with_line_ends_of(std::string_view document, std::string code) {
  if (document.find("\r\n") == std::string_view::npos) return code;
  std::string out;
  for (const char c : code) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

std::vector<GeneratedFunction> ranked(const ScreenedDocument& document, const FunctionRequestPlace& place,
                                      const std::vector<Hypothesis>& hypotheses) {
  std::vector<GeneratedFunction> out;
  for (const Hypothesis& hypothesis : hypotheses) {
    ParsedFunction parsed = parse_function_answer(*document.language, place, hypothesis.text);
    if (parsed.code == place.kept) continue;  // no function
    parsed.code = with_line_ends_of(*document.text, std::move(parsed.code));
    const auto same = [&](const GeneratedFunction& other) { return other.code == parsed.code; };
    if (std::ranges::any_of(out, same)) continue;
    const bool sound = parsed.parses && stays_sound(*document.language, *document.text, {place.replaced, parsed.code});
    out.push_back({std::move(parsed.code), hypothesis.score, sound});
  }
  std::ranges::stable_sort(out, [](const GeneratedFunction& a, const GeneratedFunction& b) {
    return a.parses != b.parses ? a.parses : a.score > b.score;
  });
  return out;
}

}  // namespace

void start_generate_function(const ActionParts& parts, RequestId run, std::optional<InstalledAdapter> adapter,
                             const ScreenedDocument& document, const FunctionRequestPlace& place,
                             Done<std::vector<GeneratedFunction>> done) {
  const auto seen = masked(parts, document, place);
  if (!seen) return done(seen.error());
  auto request = fitting_request(parts, *seen, adapter ? adapter->id : AdapterId());
  if (!request) return done(request.error());
  std::string opening;
  if (!adapter && seen->signature.empty() && seen->indentation == 0) opening = kOpening;
  request->opening = opening;
  request->beams = std::clamp<std::size_t>(parts.options.beams, 1, 8);
  request->stop = stop_at_function_end(
      *document.language,
      {.begins_in_body = !place.signature.empty(), .indentation = place.indentation, .opening = opening});
  parts.runs->generate(run, std::move(*request),
                       [document, place, opening, done = std::move(done)](Expected<GenerationResult> result) {
                         if (!result) return done(result.error());
                         done(ranked(document, place, hypotheses_of(std::move(*result), opening)));
                       });
}

}  // namespace weft::adapters
