// TestLoop: a Loop that a test turns by hand, with timers that fire only when the test lets time pass. `post` is
// thread-safe; the test's thread is the I/O thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "lsp/loop.h"

namespace weft::test {

class TestLoop final : public lsp::Loop {
 public:
  void post(Task task) override;
  TimerId after(std::chrono::milliseconds delay, Task task) override;
  void cancel_timer(TimerId id) override { timers_.erase(id); }

  // Runs what is posted, and what that posts, until nothing is left.
  void run_posted();
  // Runs tasks as they come, from other threads too, until `done`. False after a long while: something is lost.
  [[nodiscard]] bool run_until(const std::function<bool()>& done);
  // Lets time pass: due timers fire in their order.
  void advance(std::chrono::milliseconds by);
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }

 private:
  struct Timer {
    std::chrono::milliseconds due;
    Task task;
  };

  bool run_one();

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  std::map<TimerId, Timer> timers_;  // ids rise, so equal times fire in order of setting
  std::chrono::milliseconds now_{0};
  TimerId next_timer_ = 1;
};

}  // namespace weft::test
