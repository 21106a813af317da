#include "generation/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>

namespace weft::generation {

bool operator==(const ScheduledPart& a, const ScheduledPart& b) { return a.id == b.id && a.tokens == b.tokens; }
void PrintTo(const ScheduledPart& part, std::ostream* out) { *out << part.id.value() << ":" << part.tokens; }

namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kNow{std::chrono::seconds(100)};

ScheduledPart part(std::uint64_t id, std::size_t tokens) { return {RequestId(id), tokens}; }

Schedulable prompt(std::uint64_t id, std::size_t tokens, RequestClass request_class = RequestClass::kInteractive) {
  return {.id = RequestId(id), .request_class = request_class, .pending_tokens = tokens, .waits_since = kNow};
}

Schedulable decoding(std::uint64_t id, RequestClass request_class = RequestClass::kInteractive) {
  Schedulable out = prompt(id, 1, request_class);
  out.decodes = true;
  return out;
}

SchedulerBudget budget(std::size_t requests, std::size_t tokens, std::size_t shared = 64) {
  return {.requests = requests, .tokens = tokens, .shared_tokens = shared, .now = kNow};
}

TEST(Scheduler, NothingWaitsNothingRuns) { EXPECT_THAT(schedule({}, budget(1, 256)), IsEmpty()); }

TEST(Scheduler, OneAtATimeIsTheFirstOfTheBestClass) {
  const std::vector<Schedulable> waiting = {prompt(1, 9, RequestClass::kBackground),
                                            prompt(2, 400, RequestClass::kUserWaiting), prompt(3, 50), prompt(4, 30)};
  EXPECT_THAT(schedule(waiting, budget(1, 256)), ElementsAre(part(3, 50)));
}

TEST(Scheduler, AWorseClassGetsNothingWhileABetterHasWork) {
  const std::vector<Schedulable> waiting = {decoding(1, RequestClass::kBackground),
                                            prompt(2, 40, RequestClass::kUserWaiting), decoding(3)};
  EXPECT_THAT(schedule(waiting, budget(8, 256)), ElementsAre(part(3, 1)));
}

TEST(Scheduler, WhoHasWaitedTooLongIsServedBesideTheBest) {
  std::vector<Schedulable> waiting = {prompt(1, 500, RequestClass::kBackground), decoding(2)};
  waiting[0].waits_since = kNow - milliseconds(5001);
  EXPECT_THAT(schedule(waiting, budget(8, 256)), ElementsAre(part(2, 1), part(1, 64)));
}

TEST(Scheduler, AnyRequestOfAnyClassIsServedInTheEnd) {
  std::vector<Schedulable> waiting = {prompt(1, 100'000, RequestClass::kBackground)};
  for (std::uint64_t id = 2; id < 12; ++id) waiting.push_back(prompt(id, 100'000));
  std::map<RequestId, std::size_t> served;
  SchedulerBudget each = budget(4, 64, 16);
  for (int step = 0; step < 200; ++step, each.now += milliseconds(100)) {
    for (const ScheduledPart& part : schedule(waiting, each)) {
      served[part.id] += part.tokens;
      for (Schedulable& request : waiting) {
        if (request.id != part.id) continue;
        request.waits_since = each.now;
        request.served += static_cast<double>(part.tokens);
      }
    }
  }
  EXPECT_EQ(served.size(), waiting.size());
  EXPECT_GT(served.at(RequestId(1)), 0U);
}

TEST(Scheduler, DecodingGoesOnInEveryStepAndPromptsShareWhatIsLeft) {
  const std::vector<Schedulable> waiting = {prompt(1, 400), decoding(2), prompt(3, 20), decoding(4)};
  EXPECT_THAT(schedule(waiting, budget(8, 256)), ElementsAre(part(2, 1), part(4, 1), part(1, 64), part(3, 20)));
  EXPECT_THAT(schedule(waiting, budget(8, 70)), ElementsAre(part(2, 1), part(4, 1), part(1, 64), part(3, 4)));
  EXPECT_THAT(schedule(waiting, budget(3, 256)), ElementsAre(part(2, 1), part(4, 1), part(1, 64)));
}

TEST(Scheduler, APromptAloneHasTheWholeStep) {
  EXPECT_THAT(schedule(std::vector{prompt(1, 400)}, budget(8, 256)), ElementsAre(part(1, 256)));
  EXPECT_THAT(schedule(std::vector{prompt(1, 400), prompt(2, 9, RequestClass::kBackground)}, budget(8, 256)),
              ElementsAre(part(1, 256)));
}

TEST(Scheduler, ASessionThatWasServedLessGoesFirst) {
  std::vector<Schedulable> waiting = {prompt(1, 300), prompt(2, 300), prompt(3, 300)};
  waiting[0].served = 500;
  waiting[2].served = 20;
  EXPECT_THAT(schedule(waiting, budget(2, 256)), ElementsAre(part(2, 64), part(3, 64)));
}

TEST(Scheduler, TheEarlierDeadlineGoesFirstAndALateOneLast) {
  std::vector<Schedulable> waiting = {prompt(1, 30), prompt(2, 30), prompt(3, 30), prompt(4, 30)};
  waiting[0].deadline = kNow + milliseconds(200);
  waiting[1].deadline = kNow + milliseconds(50);
  waiting[2].deadline = kNow - milliseconds(1);
  EXPECT_THAT(schedule(waiting, budget(8, 256)), ElementsAre(part(2, 30), part(1, 30), part(4, 30), part(3, 30)));
}

TEST(Scheduler, TheLinesOfABeamSearchGoOnTogetherOrWait) {
  Schedulable beams = decoding(2);
  beams.pending_tokens = beams.least_tokens = 4;
  const std::vector<Schedulable> waiting = {decoding(1), beams, decoding(3)};
  EXPECT_THAT(schedule(waiting, budget(8, 5)), ElementsAre(part(1, 1), part(2, 4)));
  EXPECT_THAT(schedule(waiting, budget(8, 4)), ElementsAre(part(1, 1), part(3, 1)));
}

TEST(Scheduler, TheFirstIsServedEvenWhereItsLeastIsMoreThanTheBudget) {
  Schedulable beams = decoding(1);
  beams.pending_tokens = beams.least_tokens = 4;
  EXPECT_THAT(schedule(std::vector{beams, decoding(2)}, budget(8, 3)), ElementsAre(part(1, 4)));
}

TEST(Scheduler, LinesThatComputeTheirPastAgainDoSoInEqualShares) {
  Schedulable beams = decoding(1);
  beams.pending_tokens = 400;
  beams.least_tokens = 4;
  EXPECT_THAT(schedule(std::vector{beams}, budget(8, 255)), ElementsAre(part(1, 252)));
}

}  // namespace
}  // namespace weft::generation
