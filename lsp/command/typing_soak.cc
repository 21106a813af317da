#include "lsp/command/typing_soak.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "lsp/command/statistics.h"

namespace weft::lsp {
namespace {

constexpr double kMinuteMs = 60'000;
constexpr std::size_t kSettledMinutes = 5;
constexpr double kMostGrowth = 0.05;

}  // namespace

void Soak::add(const AskedKey& asked) {
  const bool answered = asked.outcome == Outcome::kOffered || asked.outcome == Outcome::kNothing;
  if (asked.key && answered) latency_ms_.push_back(asked.latency_ms);
}

void Soak::note(const ReplayEnd& end) {
  report_.end.unanswered += end.unanswered;
  report_.end.surplus += end.surplus;
}

std::string Soak::tick() {
  const double minutes = milliseconds_between(begin_, clock_.now()) / kMinuteMs;
  if (minutes >= minutes_) cancel_.cancel();
  const auto ended = static_cast<double>(report_.minutes.size() + 1);
  if (minutes < ended && !cancel_.cancelled()) return {};
  const SoakMinute minute{minutes, resident_mb(), latency_ms_.size(), percentile(latency_ms_, 0.5),
                          percentile(latency_ms_, 0.95)};
  latency_ms_.clear();
  report_.minutes.push_back(minute);
  return fmt::format("minute {:5.1f}: {:7.1f} MB, {:4} keys, p50 {:6.1f} ms, p95 {:6.1f} ms", minute.minute,
                     minute.memory_mb, minute.keys, minute.p50_ms, minute.p95_ms);
}

double resident_mb() {
  std::size_t size_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> size_pages >> resident_pages;
  return static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

std::string failure_of(const ReplayEnd& end) {
  if (end.unanswered > 0) return fmt::format("{} requests were not answered", end.unanswered);
  if (end.surplus > 0) return fmt::format("{} answers to nothing that was asked", end.surplus);
  return {};
}

std::string failure_of(const SoakReport& report) {
  if (std::string failure = failure_of(report.end); !failure.empty()) return failure;
  const std::vector<SoakMinute>& minutes = report.minutes;
  if (minutes.size() < 2) return {};
  const std::size_t settled = std::min(kSettledMinutes, minutes.size() / 2) - 1;
  const double before = minutes[settled].memory_mb, after = minutes.back().memory_mb;
  if (after <= before * (1 + kMostGrowth)) return {};
  return fmt::format("memory grew from {:.1f} MB at minute {:.0f} to {:.1f} MB", before, minutes[settled].minute,
                     after);
}

nlohmann::json to_json(const SoakReport& report) {
  nlohmann::json out = {{"unanswered", report.end.unanswered},
                        {"surplus_answers", report.end.surplus},
                        {"minutes", nlohmann::json::array()}};
  for (const SoakMinute& minute : report.minutes) {
    out["minutes"].push_back({{"minute", minute.minute},
                              {"memory_mb", minute.memory_mb},
                              {"keys", minute.keys},
                              {"p50_ms", minute.p50_ms},
                              {"p95_ms", minute.p95_ms}});
  }
  return out;
}

void print(const SoakReport& report) {
  if (report.minutes.empty()) return;
  const std::string failure = failure_of(report);
  fmt::print("{:.1f} minutes, {:.1f} MB after the first, {:.1f} MB at the end: {}\n", report.minutes.back().minute,
             report.minutes.front().memory_mb, report.minutes.back().memory_mb, failure.empty() ? "flat" : failure);
}

}  // namespace weft::lsp
