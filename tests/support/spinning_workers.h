// SpinningWorkers: a pool of threads for kernels where LibTorch's is not at hand. A waiting thread looks for work for
// some microseconds and then sleeps. One caller at a time.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "model/kernels/workers.h"

namespace weft::test {

class SpinningWorkers final : public model::Workers {
 public:
  explicit SpinningWorkers(int threads) {
    for (int i = 1; i < threads; ++i) helpers_.emplace_back([this] { help(); });
  }
  ~SpinningWorkers() override {
    task_ = nullptr;
    announce();
    for (std::thread& helper : helpers_) helper.join();
  }
  SpinningWorkers(const SpinningWorkers&) = delete;
  SpinningWorkers& operator=(const SpinningWorkers&) = delete;

  [[nodiscard]] int size() const override { return static_cast<int>(helpers_.size()) + 1; }

  void run(int tasks, const std::function<void(int)>& task) override {
    task_ = &task;
    tasks_ = tasks;
    next_ = 0;
    busy_ = static_cast<int>(helpers_.size());
    announce();
    work();
    for (int busy = busy_; busy != 0; busy = busy_) wait(busy_, busy);
  }

 private:
  template <class T>
  static void wait(std::atomic<T>& value, T old) {
    for (int i = 0; i < 2000; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    value.wait(old);
  }
  void announce() {
    round_.fetch_add(1);
    round_.notify_all();
  }
  void work() {
    for (int i = next_.fetch_add(1); i < tasks_; i = next_.fetch_add(1)) (*task_)(i);
  }
  void help() {
    for (unsigned seen = 0;; ++seen) {
      wait(round_, seen);
      if (task_ == nullptr) return;
      work();
      if (busy_.fetch_sub(1) == 1) busy_.notify_all();
    }
  }

  std::atomic<unsigned> round_{0};
  std::atomic<int> next_{0}, busy_{0};
  const std::function<void(int)>* task_ = nullptr;
  int tasks_ = 0;
  std::vector<std::thread> helpers_;
};

}  // namespace weft::test
