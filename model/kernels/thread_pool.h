// ThreadPool: the Workers of serving, threads of its own that wait for the next run of short tasks. A thread that waits
// looks for work for some tens of microseconds, which is longer than what a model does between two runs, and then
// sleeps: beside a program that wants every core, looking for longer takes the time of the very thread that is waited
// for.
//
// run() may be called from any thread. While one call is under way, another, from a second thread or from within a
// task, does its tasks itself, one after the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "model/kernels/workers.h"

namespace weft::model {

class ThreadPool final : public Workers {
 public:
  explicit ThreadPool(int threads);  // the caller's own included; less than 1 is 1
  ~ThreadPool() override;            // not while a call is under way
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int size() const override { return static_cast<int>(helpers_.size()) + 1; }
  // Throws what a task threw, the first of several; tasks that none had begun by then are left out.
  void run(int tasks, const std::function<void(int)>& task) override;

 private:
  void share(int tasks, const std::function<void(int)>& task);
  void help();
  void work();

  // What a helper sleeps on: odd while a run is open to it. A helper that sleeps through a run, or is kept off its
  // core, is not waited for.
  alignas(64) std::atomic<std::uint32_t> round_{0};
  std::atomic<bool> taken_{false};  // by a caller
  bool ending_ = false;
  int tasks_ = 0;
  const std::function<void(int)>* task_ = nullptr;
  std::exception_ptr failure_;
  std::atomic<bool> failed_{false};

  alignas(64) std::atomic<int> next_{0};  // task
  // What the caller sleeps on: helpers that are, or were a moment ago, within the run.
  std::atomic<std::uint32_t> helping_{0};
  std::vector<std::thread> helpers_;
};

}  // namespace weft::model
