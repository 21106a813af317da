#include "lsp/command/typing_report.h"

#include <fmt/format.h>

#include "lsp/command/statistics.h"

namespace weft::lsp {
namespace {

double share_of(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::size_t wrong_guesses(const TypingReport& report) {
  return report.engine.drafted_tokens - std::min(report.engine.drafted_tokens, report.engine.accepted_tokens);
}

// What was computed for requests that nobody had an answer of, guesses aside.
std::size_t wasted_tokens(const TypingReport& report) {
  const std::size_t of_use = report.all.answered_tokens() + wrong_guesses(report);
  return report.engine_tokens - std::min(report.engine_tokens, of_use);
}

}  // namespace

void KeySeries::add(const AskedKey& asked) {
  ++requests_;
  if (asked.timings && !asked.timings->from_cache) {
    answered_tokens_ += asked.timings->prefilled_tokens + asked.timings->generated_tokens;
  }
  if (!asked.key) return;
  ++keys_;
  asked_after_ms_.push_back(asked.asked_after_ms);
  switch (asked.outcome) {
    case Outcome::kOffered:
      ++offered_;
      break;
    case Outcome::kNothing:
      ++nothing_;
      break;
    case Outcome::kWithdrawn:
    case Outcome::kCancelled:
      ++withdrawn_;
      withdrawn_ms_.push_back(asked.latency_ms);
      return;
    case Outcome::kFailed:
    case Outcome::kOpen:
      ++failed_;
      return;
  }
  latency_ms_.push_back(asked.latency_ms);
  if (!asked.timings) return;
  const generation::CompletionTimings& t = *asked.timings;
  const double prefilled = t.from_cache ? 0 : static_cast<double>(t.prefilled_tokens);
  prefilled_.push_back(prefilled);
  if (asked.inside_line) prefilled_inside_line_.push_back(prefilled);
  if (t.from_cache) {
    ++from_cache_;
    return;
  }
  computed_latency_ms_.push_back(asked.latency_ms);
  prompt_ms_.push_back(t.prompt_ms);
  queue_ms_.push_back(t.queue_ms);
  prefill_ms_.push_back(t.prefill_ms);
  decode_ms_.push_back(t.decode_ms);
  rank_ms_.push_back(t.filter_ms);
}

nlohmann::json KeySeries::latency_json() const {
  nlohmann::json out = spread(latency_ms_);
  out["computed"] = spread(computed_latency_ms_);
  out["split"] = {{"prompt", spread(prompt_ms_)},
                  {"queue", spread(queue_ms_)},
                  {"prefill", spread(prefill_ms_)},
                  {"decode", spread(decode_ms_)},
                  {"rank", spread(rank_ms_)}};
  return out;
}

nlohmann::json KeySeries::prefill_json() const {
  nlohmann::json out = spread(prefilled_);
  out["inside_line"] = spread(prefilled_inside_line_);
  return out;
}

nlohmann::json KeySeries::to_json() const {
  return {{"key_to_suggestion_ms", latency_json()},
          {"prefill_tokens_per_key", prefill_json()},
          {"keys",
           {{"asked", keys_},
            {"offered", offered_},
            {"nothing", nothing_},
            {"withdrawn", withdrawn_},
            {"failed", failed_},
            {"from_cache", from_cache_}}},
          {"withdrawn_after_ms", spread(withdrawn_ms_)},
          {"editor_asked_after_ms", spread(asked_after_ms_)},
          {"requests", requests_}};
}

nlohmann::json to_json(const TypingReport& report) {
  nlohmann::json out = report.all.to_json();
  out["model"] = report.model.name;
  out["dtype"] = report.model.dtype;
  out["editors"] = report.editors;
  out["speed"] = report.speed;
  out["prefix_hit_share"] = share_of(report.reuse.reused_tokens, report.reuse.reusable_tokens);
  out["prefix"] = {{"prompts", report.reuse.prompts},
                   {"prompt_tokens", report.reuse.prompt_tokens},
                   {"reusable_tokens", report.reuse.reusable_tokens},
                   {"reused_tokens", report.reuse.reused_tokens}};
  out["engine"]["tokens"] = report.engine_tokens;  // counted at its runner
  for (const auto& [name, value] : report.engine.named()) out["engine"][std::string(name)] = value;
  out["speculation"] = {{"drafted", report.engine.drafted_tokens},
                        {"accepted", report.engine.accepted_tokens},
                        {"accepted_share", share_of(report.engine.accepted_tokens, report.engine.drafted_tokens)}};
  out["wasted_tokens"] = wasted_tokens(report);
  out["wasted_share"] = share_of(wasted_tokens(report), report.engine_tokens);
  out["memory_mb"] = {{"begin", report.memory_begin_mb}, {"end", report.memory_end_mb}};
  out["unanswered"] = report.end.unanswered;
  out["surplus_answers"] = report.end.surplus;
  out["interrupted"] = report.end.interrupted;
  for (const auto& [name, series] : report.by_stream) {
    nlohmann::json row = spread(series.latency_ms());
    row["name"] = name;
    row["keys"] = series.keys();
    row["withdrawn"] = series.withdrawn();
    out["per_editor"].push_back(std::move(row));
  }
  return out;
}

void print(const TypingReport& report) {
  const nlohmann::json out = to_json(report);
  const auto line = [](std::string_view name, const nlohmann::json& at, std::string_view more = "") {
    fmt::print("{:<24} p50 {:7.1f}  p95 {:7.1f}  p99 {:7.1f}{}\n", name, at["p50"].get<double>(),
               at["p95"].get<double>(), at["p99"].get<double>(), more);
  };
  const nlohmann::json& keys = out["keys"];
  fmt::print("{}, {}, {} at once: {} keys, {} offers, {} without, {} withdrawn, {} from the cache\n", report.model.name,
             report.model.dtype, report.editors == 1 ? "one editor" : fmt::format("{} editors", report.editors),
             keys["asked"].get<std::size_t>(), keys["offered"].get<std::size_t>(), keys["nothing"].get<std::size_t>(),
             keys["withdrawn"].get<std::size_t>(), keys["from_cache"].get<std::size_t>());
  const nlohmann::json& latency = out["key_to_suggestion_ms"];
  line("key to suggestion, ms", latency);
  line("  computed", latency["computed"]);
  for (const char* part : {"queue", "prefill", "decode", "rank"}) {
    line(fmt::format("    {}", part), latency["split"][part]);
  }
  const nlohmann::json& prefill = out["prefill_tokens_per_key"];
  line("prefilled tokens a key", prefill);
  line("  inside a line", prefill["inside_line"]);
  fmt::print("reused {:.1f} % of the {} tokens that could be; {} of {} computed tokens wasted ({:.1f} %)\n",
             out["prefix_hit_share"].get<double>() * 100, report.reuse.reusable_tokens, wasted_tokens(report),
             report.engine_tokens, out["wasted_share"].get<double>() * 100);
  fmt::print("guessed {} tokens, {:.0f} % of them right\n", report.engine.drafted_tokens,
             out["speculation"]["accepted_share"].get<double>() * 100);
  fmt::print("memory {:.0f} MB, {:.0f} MB at the end\n", report.memory_begin_mb, report.memory_end_mb);
  for (const nlohmann::json& row : out["per_editor"]) {
    line(fmt::format("  {}", row["name"].get<std::string>()), row, fmt::format("  {} keys", row["keys"].get<int>()));
  }
}

}  // namespace weft::lsp
