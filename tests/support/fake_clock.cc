#include "tests/support/fake_clock.h"

namespace weft::test {

TimePoint FakeClock::now() const {
  return TimePoint(std::chrono::duration_cast<TimePoint::duration>(std::chrono::nanoseconds(since_epoch_.load())));
}

void FakeClock::advance(std::chrono::nanoseconds by) { since_epoch_ += by.count(); }

}  // namespace weft::test
