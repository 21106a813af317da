#include "generation/completion/candidates.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "generation/beam_search.h"
#include "generation/completion/confidence.h"
#include "generation/completion/copies.h"
#include "generation/completion/filter.h"
#include "generation/completion/score.h"
#include "generation/completion/threshold.h"

namespace weft::generation {
namespace {

// A hypothesis as if it had been generated alone. Its tokens' own log-probabilities are the best one's alone.
GenerationResult as_result(const Hypothesis& hypothesis, const GenerationResult& search) {
  GenerationResult result;
  result.reason = hypothesis.reason;
  result.text = hypothesis.text;
  result.tokens = hypothesis.tokens;
  if (hypothesis.tokens == search.tokens) result.logprobs = search.logprobs;
  const std::size_t length = std::max<std::size_t>(hypothesis.tokens.size(), 1);
  result.mean_logprob = logprob_sum_of(hypothesis.score, length) / static_cast<double>(length);
  return result;
}

std::vector<GenerationResult> each_line(std::span<const GenerationResult> results) {
  std::vector<GenerationResult> lines;
  for (const GenerationResult& result : results) {
    if (result.reason == FinishReason::kFailed) continue;
    if (result.hypotheses.empty()) lines.push_back(result);
    for (const Hypothesis& hypothesis : result.hypotheses) lines.push_back(as_result(hypothesis, result));
  }
  return lines;
}

// The share of the offer that it takes away.
double pass_gate(SyntaxGate& gate, CandidateTrace& trace, const RankContext& context) {
  const std::size_t all = trace.offered.size();
  const bool by_indentation = context.place.language->indented_blocks;
  const std::size_t indented = by_indentation ? well_indented(trace.offered, context.place, context.rules) : all;
  const std::size_t fitting = indented == 0 ? 0 : gate.longest_fit(std::string_view(trace.offered).substr(0, indented));
  if (fitting == all) return 0;
  trace.steps.push_back({"syntax", all - fitting});
  trace.offered.resize(fitting);
  if (trimmed(trace.offered).empty()) {
    trace.offered.clear();
    trace.reason = "breaks the syntax";
  }
  return static_cast<double>(all - fitting) / static_cast<double>(all);
}

// What stands in a package whose licence does not allow it is not offered.
void name_source(const EnvironmentIndex& environment, const model::Tokenizer& tokenizer, CandidateTrace& trace) {
  Copies copies = find_copies(trace.offered, environment, tokenizer);
  trace.source = std::move(copies.longest);
  if (!copies.forbidden) return;
  trace.source = std::move(copies.forbidden);
  trace.steps.push_back({"licence", trace.offered.size()});
  trace.offered.clear();
  trace.reason = "copied without a permissive licence";
}

CandidateTrace judge(const GenerationResult& result, const RankContext& context) {
  Filtered filtered = filter_text(result.text, context.place, context.rules, result.reason);
  CandidateTrace trace{.generated = result.text,
                       .offered = std::move(filtered.text),
                       .reason = filtered.reason,
                       .steps = std::move(filtered.steps)};
  if (trace.offered.empty()) return trace;
  const double cut = context.gate == nullptr ? 0 : pass_gate(*context.gate, trace, context);
  if (trace.offered.empty()) return trace;
  if (context.environment != nullptr) name_source(*context.environment, context.tokenizer, trace);
  if (trace.offered.empty()) return trace;
  trace.parts = score_parts(trace.offered, context.place, context.rules);
  trace.parts.cut = cut;
  const Confidence confidence = confidence_of(result, trace.offered.size(), context.opening, context.tokenizer);
  trace.parts.mean_logprob = confidence.mean_logprob;
  trace.parts.tokens = confidence.tokens;
  trace.parts.first_line = confidence.first_line;
  trace.parts.further_lines = confidence.further_lines;
  add_confidence(trace.parts, context.calibration);
  trace.score = total_score(trace.parts);
  return trace;
}

}  // namespace

Ranked rank_candidates(std::span<const GenerationResult> results, const RankContext& context) {
  Ranked ranked;
  for (const GenerationResult& result : each_line(results)) {
    CandidateTrace trace = judge(result, context);
    const auto same = [&trace](const CandidateTrace& other) {
      return other.reason.empty() && other.offered == trace.offered;
    };
    if (trace.reason.empty() && std::ranges::any_of(ranked.traces, same)) trace.reason = "same as another";
    ranked.traces.push_back(std::move(trace));
  }
  for (const CandidateTrace& trace : ranked.traces) {
    if (!trace.reason.empty()) continue;
    const std::size_t cursor = context.place.before.size();
    ranked.items.push_back({with_line_ends(trace.offered, context.place), cursor, cursor, trace.score, trace.parts});
  }
  std::ranges::stable_sort(ranked.items, std::ranges::greater(), &CompletionItem::score);
  if (ranked.items.empty() && !ranked.traces.empty()) ranked.reason = ranked.traces.front().reason;
  return ranked;
}

}  // namespace weft::generation
