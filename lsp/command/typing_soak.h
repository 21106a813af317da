// Soak: typing that goes on for minutes, and what memory and waiting do meanwhile. Main thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "lsp/command/typing_client.h"
#include "lsp/command/typing_replay.h"
#include "model/base/cancel.h"
#include "model/base/clock.h"

namespace weft::lsp {

struct SoakMinute {
  double minute = 0;     // since the beginning, at its end
  double memory_mb = 0;  // resident
  std::size_t keys = 0;
  double p50_ms = 0, p95_ms = 0;  // key to suggestion
};

struct SoakReport {
  std::vector<SoakMinute> minutes;
  ReplayEnd end;
};

class Soak {
 public:
  Soak(double minutes, const Clock& clock) : minutes_(minutes), clock_(clock), begin_(clock.now()) {}

  void add(const AskedKey& asked);
  void note(const ReplayEnd& end);
  // The line about the minute that has ended; empty: none has. Sets `cancel` when the time is over.
  [[nodiscard]] std::string tick();
  [[nodiscard]] bool over() const { return cancel_.cancelled(); }
  [[nodiscard]] CancelFlag cancel() const { return cancel_; }
  [[nodiscard]] const SoakReport& report() const { return report_; }

 private:
  const double minutes_;
  const Clock& clock_;
  const TimePoint begin_;
  CancelFlag cancel_;
  std::vector<double> latency_ms_;  // of this minute
  SoakReport report_;
};

[[nodiscard]] double resident_mb();  // of this process

// Empty: all is well. Memory is compared with what it was after five minutes, or after half of a shorter soak, since
// the first minutes fill caches that are bounded.
[[nodiscard]] std::string failure_of(const SoakReport& report);
[[nodiscard]] std::string failure_of(const ReplayEnd& end);
[[nodiscard]] nlohmann::json to_json(const SoakReport& report);
void print(const SoakReport& report);

}  // namespace weft::lsp
