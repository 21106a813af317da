#include "lsp/command/typing_soak.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace weft::lsp {
namespace {

SoakReport soaked(const std::vector<double>& memory_mb) {
  SoakReport report;
  for (const double mb : memory_mb)
    report.minutes.push_back({static_cast<double>(report.minutes.size() + 1), mb, 1, 1, 1});
  return report;
}

TEST(Soak, MemoryMayGrowInTheFirstFiveMinutesOnly) {
  EXPECT_EQ(failure_of(soaked({100, 150, 180, 190, 200, 201, 209, 209, 209, 209})), "");
  EXPECT_EQ(failure_of(soaked({100, 150, 180, 190, 200, 201, 209, 209, 209, 211})),
            "memory grew from 200.0 MB at minute 5 to 211.0 MB");
}

TEST(Soak, AShortOneIsComparedWithItsHalf) {
  EXPECT_EQ(failure_of(soaked({100, 200, 201, 202})), "");
  EXPECT_EQ(failure_of(soaked({100, 100, 100, 120})), "memory grew from 100.0 MB at minute 2 to 120.0 MB");
}

TEST(Soak, EveryRequestIsAnsweredOnce) {
  SoakReport report = soaked({100, 100});
  report.end.unanswered = 1;
  EXPECT_EQ(failure_of(report), "1 requests were not answered");
  report.end = {.surplus = 2};
  EXPECT_EQ(failure_of(report), "2 answers to nothing that was asked");
}

TEST(Soak, AMinuteAtATime) {
  test::FakeClock clock;
  Soak soak(2.5, clock);
  const auto answer = [&](double ms) {
    AskedKey asked;
    asked.key = true;
    asked.latency_ms = ms;
    asked.outcome = Outcome::kOffered;
    soak.add(asked);
  };
  answer(10);
  EXPECT_EQ(soak.tick(), "");
  clock.advance(std::chrono::minutes(1));
  EXPECT_NE(soak.tick(), "");
  answer(30);
  answer(40);
  clock.advance(std::chrono::minutes(1));
  EXPECT_NE(soak.tick(), "");
  EXPECT_FALSE(soak.over());
  clock.advance(std::chrono::seconds(30));
  EXPECT_NE(soak.tick(), "");
  EXPECT_TRUE(soak.over());
  const auto& minutes = soak.report().minutes;
  ASSERT_EQ(minutes.size(), 3U);
  EXPECT_EQ(minutes[0].keys, 1U);
  EXPECT_EQ(minutes[1].p95_ms, 40);
  EXPECT_EQ(minutes[2].keys, 0U);
  EXPECT_GT(minutes[0].memory_mb, 1);
}

}  // namespace
}  // namespace weft::lsp
