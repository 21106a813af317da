#include "generation/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace weft::generation {

bool operator==(const ScheduledPart& a, const ScheduledPart& b) { return a.id == b.id && a.tokens == b.tokens; }
void PrintTo(const ScheduledPart& part, std::ostream* out) { *out << part.id.value() << ":" << part.tokens; }

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ScheduledPart part(std::uint64_t id, std::size_t tokens) { return {RequestId(id), tokens}; }

const std::vector<Schedulable> kWaiting = {
    {RequestId(1), RequestClass::kBackground, 1},   {RequestId(2), RequestClass::kUserWaiting, 400},
    {RequestId(3), RequestClass::kInteractive, 90}, {RequestId(4), RequestClass::kUserWaiting, 1},
    {RequestId(5), RequestClass::kInteractive, 30},
};

TEST(Scheduler, NothingWaitsNothingRuns) { EXPECT_THAT(schedule({}, {}), IsEmpty()); }

TEST(Scheduler, OneAtATimeIsTheFirstOfTheBestClass) {
  EXPECT_THAT(schedule(kWaiting, {.requests = 1, .tokens = 256}), ElementsAre(part(3, 90)));
}

TEST(Scheduler, ManyAreOrderedByClassThenBySubmission) {
  EXPECT_THAT(schedule(kWaiting, {.requests = 8, .tokens = 1000}),
              ElementsAre(part(3, 90), part(5, 30), part(2, 400), part(4, 1), part(1, 1)));
}

TEST(Scheduler, TheStepsTokensAreNotExceededAndLongPromptsAreCut) {
  EXPECT_THAT(schedule(kWaiting, {.requests = 8, .tokens = 256}), ElementsAre(part(3, 90), part(5, 30), part(2, 136)));
  EXPECT_THAT(schedule(kWaiting, {.requests = 8, .tokens = 64}), ElementsAre(part(3, 64)));
}

TEST(Scheduler, TheStepsRequestsAreNotExceeded) {
  EXPECT_THAT(schedule(kWaiting, {.requests = 2, .tokens = 256}), ElementsAre(part(3, 90), part(5, 30)));
}

TEST(Scheduler, TheLinesOfABeamSearchGoOnTogetherOrWait) {
  const std::vector<Schedulable> waiting = {{RequestId(1), RequestClass::kInteractive, 90},
                                            {RequestId(2), RequestClass::kUserWaiting, 4, 4},
                                            {RequestId(3), RequestClass::kUserWaiting, 1}};
  EXPECT_THAT(schedule(waiting, {.requests = 8, .tokens = 94}), ElementsAre(part(1, 90), part(2, 4)));
  EXPECT_THAT(schedule(waiting, {.requests = 8, .tokens = 93}), ElementsAre(part(1, 90)));
}

TEST(Scheduler, TheFirstIsServedEvenWhereItsLeastIsMoreThanTheBudget) {
  const std::vector<Schedulable> waiting = {{RequestId(1), RequestClass::kInteractive, 4, 4},
                                            {RequestId(2), RequestClass::kInteractive, 1}};
  EXPECT_THAT(schedule(waiting, {.requests = 8, .tokens = 3}), ElementsAre(part(1, 4)));
}

}  // namespace
}  // namespace weft::generation
