// FakeClock: stands still until a test moves it. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>

#include "model/base/clock.h"

namespace weft::test {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  void advance(std::chrono::nanoseconds by);

 private:
  std::atomic<std::chrono::nanoseconds::rep> since_epoch_{0};
};

}  // namespace weft::test
