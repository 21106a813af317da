// What a replay of typing showed, as JSON and for people. Main thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "lsp/command/prompt_log.h"
#include "lsp/command/typing_client.h"
#include "lsp/command/typing_replay.h"
#include "model/runner.h"

namespace weft::lsp {

// The inline completions of one way of looking at them.
class KeySeries {
 public:
  void add(const AskedKey& asked);

  [[nodiscard]] std::size_t keys() const { return keys_; }
  [[nodiscard]] const std::vector<double>& latency_ms() const { return latency_ms_; }  // of the answered keys
  [[nodiscard]] nlohmann::json to_json() const;
  // Tokens that were computed for requests that were answered with a result.
  [[nodiscard]] std::size_t answered_tokens() const { return answered_tokens_; }
  [[nodiscard]] std::size_t withdrawn() const { return withdrawn_; }

 private:
  [[nodiscard]] nlohmann::json latency_json() const;
  [[nodiscard]] nlohmann::json prefill_json() const;

  std::size_t requests_ = 0, keys_ = 0, offered_ = 0, nothing_ = 0, withdrawn_ = 0, failed_ = 0, from_cache_ = 0;
  std::size_t answered_tokens_ = 0;
  std::vector<double> latency_ms_, computed_latency_ms_;  // all; those not answered from a cache
  std::vector<double> withdrawn_ms_, asked_after_ms_;
  std::vector<double> prompt_ms_, queue_ms_, prefill_ms_, decode_ms_, rank_ms_;  // of the computed ones
  std::vector<double> prefilled_, prefilled_inside_line_;
};

struct TypingReport {
  model::RunnerInfo model;
  std::size_t editors = 0;  // most at once
  double speed = 1;
  KeySeries all;
  std::map<std::string, KeySeries> by_stream;
  PrefixReuse reuse;
  std::size_t engine_tokens = 0;                  // that the model computed
  generation::EngineMetrics engine;               // as it counts itself
  double memory_begin_mb = 0, memory_end_mb = 0;  // resident
  ReplayEnd end;
};

[[nodiscard]] nlohmann::json to_json(const TypingReport& report);
void print(const TypingReport& report);

}  // namespace weft::lsp
