#include "lsp/command/typing_report.h"

#include <gtest/gtest.h>

#include "lsp/command/statistics.h"

namespace weft::lsp {
namespace {

AskedKey answered(double latency_ms, std::size_t prefilled, std::size_t generated, bool from_cache = false) {
  AskedKey asked;
  asked.key = asked.inside_line = true;
  asked.latency_ms = latency_ms;
  asked.outcome = Outcome::kOffered;
  asked.timings.emplace();
  asked.timings->prefilled_tokens = prefilled;
  asked.timings->generated_tokens = generated;
  asked.timings->queue_ms = latency_ms / 2;
  asked.timings->from_cache = from_cache;
  return asked;
}

TEST(Statistics, PercentilesAreSamplesAndTheMedianIsInTheMiddle) {
  const std::vector<double> values{4, 1, 3, 2};
  EXPECT_EQ(percentile(values, 0.5), 2);
  EXPECT_EQ(percentile(values, 0.95), 4);
  EXPECT_EQ(percentile(values, 0), 1);
  EXPECT_EQ(median(values), 2.5);
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(mean(values), 2.5);
  EXPECT_EQ(percentile({}, 0.5), 0);
}

TEST(TypingReport, WhatWasWithdrawnDoesNotCountAsAWait) {
  KeySeries series;
  series.add(answered(10, 2, 3));
  series.add(answered(30, 4, 5));
  AskedKey withdrawn;
  withdrawn.key = true;
  withdrawn.latency_ms = 900;
  withdrawn.outcome = Outcome::kWithdrawn;
  series.add(withdrawn);
  withdrawn.outcome = Outcome::kCancelled;
  series.add(withdrawn);
  const nlohmann::json out = series.to_json();
  EXPECT_EQ(out["key_to_suggestion_ms"]["p99"], 30);
  EXPECT_EQ(out["withdrawn_after_ms"]["p50"], 900);
  EXPECT_EQ(out["keys"]["asked"], 4);
  EXPECT_EQ(out["keys"]["withdrawn"], 2);
}

// An answer that an earlier one holds costs nothing, and says nothing about what computing takes.
TEST(TypingReport, TheCacheIsCountedApart) {
  KeySeries series;
  series.add(answered(20, 8, 4));
  series.add(answered(1, 99, 99, true));
  const nlohmann::json out = series.to_json();
  EXPECT_EQ(out["key_to_suggestion_ms"]["p50"], 1);
  EXPECT_EQ(out["key_to_suggestion_ms"]["computed"]["p50"], 20);
  EXPECT_EQ(out["key_to_suggestion_ms"]["split"]["queue"]["p50"], 10);
  EXPECT_EQ(out["prefill_tokens_per_key"]["p50"], 0);
  EXPECT_EQ(out["prefill_tokens_per_key"]["mean"], 4);
  EXPECT_EQ(series.answered_tokens(), 12U);
}

// A request without a change before it is no key, but what it cost was not wasted.
TEST(TypingReport, QuestionsWithoutAChangeAreNoKeys) {
  AskedKey asked = answered(500, 100, 10);
  asked.key = false;
  TypingReport report;
  report.all.add(asked);
  report.all.add(answered(10, 2, 3));
  report.engine_tokens = 150;
  const nlohmann::json out = to_json(report);
  EXPECT_EQ(out["keys"]["asked"], 1);
  EXPECT_EQ(out["requests"], 2);
  EXPECT_EQ(out["key_to_suggestion_ms"]["p99"], 10);
  EXPECT_EQ(out["wasted_tokens"], 35);
}

TEST(TypingReport, WrongGuessesAreNoWaste) {
  TypingReport report;
  report.all.add(answered(10, 2, 3));
  report.engine_tokens = 15;
  report.engine.drafted_tokens = 12;
  report.engine.accepted_tokens = 3;
  const nlohmann::json out = to_json(report);
  EXPECT_EQ(out["wasted_tokens"], 1);
  EXPECT_DOUBLE_EQ(out["speculation"]["accepted_share"], 0.25);
  EXPECT_EQ(out["engine"]["drafted_tokens"], 12);
}

TEST(TypingReport, SharesOfWhatCouldBeReused) {
  TypingReport report;
  report.reuse = {.prompts = 2, .prompt_tokens = 300, .reusable_tokens = 200, .reused_tokens = 190};
  EXPECT_DOUBLE_EQ(to_json(report)["prefix_hit_share"], 0.95);
}

}  // namespace
}  // namespace weft::lsp
