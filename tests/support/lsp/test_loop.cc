#include "tests/support/lsp/test_loop.h"

#include <algorithm>
#include <utility>

namespace weft::test {
namespace {

constexpr std::chrono::seconds kPatience{30};

}  // namespace

void TestLoop::post(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  posted_.notify_all();
}

lsp::Loop::TimerId TestLoop::after(std::chrono::milliseconds delay, Task task) {
  timers_.emplace(next_timer_, Timer{now_ + delay, std::move(task)});
  return next_timer_++;
}

bool TestLoop::run_one() {
  Task task;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  return true;
}

void TestLoop::run_posted() {
  while (run_one()) {
  }
}

bool TestLoop::run_until(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (done()) return true;
    if (run_one()) continue;
    std::unique_lock lock(mutex_);
    if (!posted_.wait_until(lock, deadline, [this] { return !tasks_.empty(); })) return false;
  }
}

void TestLoop::advance(std::chrono::milliseconds by) {
  now_ += by;
  for (;;) {
    const auto due = std::min_element(timers_.begin(), timers_.end(),
                                      [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
    if (due == timers_.end() || due->second.due > now_) break;
    const Task task = std::move(due->second.task);
    timers_.erase(due);
    task();
  }
  run_posted();
}

}  // namespace weft::test
