#include "model/kernels/thread_pool.h"

#include <chrono>
#include <utility>

namespace weft::model {
namespace {

// Measured with a 0.5 B model on two cores: a token takes a quarter longer with none, a twentieth with twenty, and with
// two hundred as long as with fifty. Beside two programs that want the cores all of these are alike.
constexpr std::chrono::microseconds kSpin{50};
constexpr int kLooksAClock = 32;  // a look at the clock takes as long as some at the value

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// The first value that `wanted` accepts.
template <class Wanted>
std::uint32_t wait_for(const std::atomic<std::uint32_t>& value, const Wanted& wanted) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int look = 0; look < kLooksAClock; ++look) {
      if (const std::uint32_t seen = value.load(std::memory_order_acquire); wanted(seen)) return seen;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  std::uint32_t seen = value.load();
  for (; !wanted(seen); seen = value.load()) value.wait(seen);  // a futex
  return seen;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i) helpers_.emplace_back([this] { help(); });
}

ThreadPool::~ThreadPool() {
  ending_ = true;
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadPool::run(int tasks, const std::function<void(int)>& task) {
  const bool alone = tasks <= 1 || helpers_.empty() || taken_.exchange(true);
  if (alone) {
    for (int i = 0; i < tasks; ++i) task(i);
    return;
  }
  share(tasks, task);
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  failed_ = false;
  taken_ = false;
  if (failure) std::rethrow_exception(failure);
}

void ThreadPool::share(int tasks, const std::function<void(int)>& task) {
  tasks_ = tasks;
  task_ = &task;
  next_.store(0, std::memory_order_relaxed);
  round_.fetch_add(1);  // open
  round_.notify_all();
  work();
  // In the one order of all sequentially consistent operations, either a helper sees the round closed or is seen here.
  round_.fetch_add(1);
  wait_for(helping_, [](std::uint32_t helping) { return helping == 0; });
}

void ThreadPool::help() {
  for (std::uint32_t seen = 0;;) {
    seen = wait_for(round_, [&](std::uint32_t round) { return round % 2 == 1 && round != seen; });
    helping_.fetch_add(1);
    seen = round_.load();  // by now perhaps closed, or a later one
    if (seen % 2 == 1) {
      if (ending_) return;
      work();
    }
    if (helping_.fetch_sub(1) == 1) helping_.notify_one();
  }
}

void ThreadPool::work() {
  try {
    for (int i = next_.fetch_add(1); i < tasks_; i = next_.fetch_add(1)) (*task_)(i);
  } catch (...) {
    if (!failed_.exchange(true)) failure_ = std::current_exception();
    next_ = tasks_;
  }
}

}  // namespace weft::model
