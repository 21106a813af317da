#include "lsp/completion_log.h"

#include <algorithm>
#include <utility>

#include "lsp/protocol.h"

namespace weft::lsp {
namespace {

using generation::CandidateTrace;
using generation::CompletionResult;
using generation::ScoreParts;

constexpr std::size_t kRemembered = 64;

Json to_json(const ScoreParts& parts) {
  return {{"meanLogprob", parts.mean_logprob},
          {"worstLogprob", parts.first_line.worst_logprob},
          {"tokens", parts.tokens},
          {"confidence", parts.confidence ? Json(*parts.confidence) : Json()},
          {"furtherConfidence", parts.further_confidence ? Json(*parts.further_confidence) : Json()},
          {"syntaxErrors", parts.syntax_errors},
          {"cut", parts.cut},
          {"openBrackets", parts.open_brackets},
          {"oddIndentations", parts.odd_indentations},
          {"repetition", parts.repetition},
          {"overlap", parts.overlap}};
}

Json to_json(const CandidateTrace& trace) {
  Json filters = Json::array();
  for (const auto& step : trace.steps) {
    filters.push_back({{"filter", step.filter}, {"removedBytes", step.removed_bytes}});
  }
  Json out = {{"generated", trace.generated}, {"offered", trace.offered}, {"filters", std::move(filters)}};
  if (!trace.reason.empty()) out["reason"] = trace.reason;
  if (trace.source) {
    out["source"] = {{"tokens", trace.source->tokens},
                     {"package", trace.source->package},
                     {"version", trace.source->version},
                     {"licence", trace.source->licence},
                     {"file", trace.source->file}};
  }
  if (!trace.offered.empty()) out["score"] = trace.score;
  if (!trace.offered.empty()) out["parts"] = to_json(trace.parts);
  return out;
}

void add(Json& out, const CompletionResult& result) {
  const auto& t = result.timings;
  out["model"] = result.model;
  out["reason"] = result.reason;
  out["fromCache"] = t.from_cache;
  out["partial"] = result.partial;
  out["stagesMs"] = {{"prompt", t.prompt_ms}, {"queue", t.queue_ms},   {"prefill", t.prefill_ms},
                     {"decode", t.decode_ms}, {"filter", t.filter_ms}, {"total", t.total_ms}};
  out["tokens"] = {{"prompt", t.prompt_tokens}, {"prefilled", t.prefilled_tokens}, {"generated", t.generated_tokens}};
  out["candidates"] = Json::array();
  for (const CandidateTrace& trace : result.candidates) out["candidates"].push_back(to_json(trace));
}

}  // namespace

CompletionLog::Entry* CompletionLog::find(Key key) {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &*found;
}

void CompletionLog::asked(Key key, AskedCompletion request) {
  entries_.push_front({key, std::move(request), {}, {}, std::nullopt});
  if (entries_.size() > kRemembered) entries_.pop_back();
}

void CompletionLog::ended(Key key, std::string_view outcome) {
  Entry* entry = find(key);
  if (entry != nullptr && entry->outcome.empty()) entry->outcome = outcome;
}

void CompletionLog::answered(Key key, const CompletionResult& result) {
  if (Entry* entry = find(key)) entry->result = result;
}

void CompletionLog::failed(Key key, const Error& error) {
  ended(key, "failed");
  if (Entry* entry = find(key)) entry->error = error.message;
}

Json CompletionLog::explain(std::string_view uri, std::optional<Position> position) const {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.request.uri == uri && (!position || entry.request.position == *position);
  });
  if (found == entries_.end()) return nullptr;
  const AskedCompletion& request = found->request;
  Json out = {{"uri", request.uri},
              {"version", request.version},
              {"position", lsp::to_json(request.position)},
              {"kind", request.kind == OfferKind::kInline ? "inline" : "popup"},
              {"trigger", request.trigger == generation::Trigger::kInvoked ? "invoked" : "automatic"},
              {"outcome", found->outcome.empty() ? "waiting" : found->outcome}};
  if (!found->error.empty()) out["error"] = found->error;
  if (found->result) add(out, *found->result);
  return out;
}

}  // namespace weft::lsp
