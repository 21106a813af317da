#include "model/kernels/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace weft::model {
namespace {

double cpu_seconds() {  // of the process, all threads
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class ThreadPools : public ::testing::TestWithParam<int> {
 protected:
  ThreadPool pool_{GetParam()};
};

TEST_P(ThreadPools, EachTaskIsDoneOnce) {
  for (const int tasks : {0, 1, 2, 3, 7, 64, 1000}) {
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(tasks));
    pool_.run(tasks, [&](int i) { ++done[static_cast<std::size_t>(i)]; });
    for (const auto& each : done) ASSERT_EQ(each, 1) << tasks;
  }
}

TEST_P(ThreadPools, WhatTasksWroteIsSeenAfterwards) {
  std::vector<std::int64_t> values(256);
  for (int round = 0; round < 2000; ++round) {
    pool_.run(static_cast<int>(values.size()), [&](int i) { values[static_cast<std::size_t>(i)] += i * round; });
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], static_cast<std::int64_t>(i) * (2000 * 1999 / 2));
  }
}

TEST_P(ThreadPools, PiecesCoverARange) {
  for (const std::int64_t count : {0, 1, 5, 100, 101}) {
    for (const std::int64_t piece : {1, 7, 200}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
      for_pieces(pool_, count, piece, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
      });
      for (const auto& each : done) EXPECT_EQ(each, 1);
    }
  }
}

TEST_P(ThreadPools, ATaskMayRunTasks) {
  std::atomic<int> done{0};
  pool_.run(8, [&](int) { pool_.run(8, [&](int) { ++done; }); });
  EXPECT_EQ(done, 64);
}

TEST_P(ThreadPools, WhatATaskThrowsReachesTheCallerAndTheNextRunIsWhole) {
  for (int round = 0; round < 200; ++round) {
    const auto fail = [&](int i) {
      if (i == round % 16) throw std::runtime_error("task " + std::to_string(i));
    };
    try {
      pool_.run(16, fail);
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& failure) {
      EXPECT_EQ(failure.what(), "task " + std::to_string(round % 16));
    }
    std::atomic<int> done{0};
    pool_.run(16, [&](int) { ++done; });
    ASSERT_EQ(done, 16);
  }
}

TEST_P(ThreadPools, ServesOneCallerAfterAnother) {
  std::int64_t sum = 0;  // that each caller adds to after the other has ended
  for (int caller = 0; caller < 4; ++caller) {
    std::thread([&] {
      for (int round = 0; round < 500; ++round) {
        std::atomic<std::int64_t> of_round{0};
        pool_.run(5, [&](int i) { of_round += i; });
        sum += of_round;
      }
    }).join();
  }
  EXPECT_EQ(sum, 4 * 500 * 10);
}

TEST_P(ThreadPools, TwoCallersAtATimeBothEnd) {
  std::atomic<std::int64_t> sum{0};
  const auto call = [&] {
    for (int round = 0; round < 2000; ++round) pool_.run(5, [&](int i) { sum += i; });
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(sum, 2 * 2000 * 10);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPools, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPool, TasksAreDoneAtTheSameTime) {
  ThreadPool pool(3);
  EXPECT_EQ(pool.size(), 3);
  std::latch all(3);  // which one thread alone would wait at for ever
  std::mutex mutex;
  std::set<std::thread::id> threads;
  pool.run(3, [&](int) {
    all.arrive_and_wait();
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 3);
}

// Threads that spun while they waited took the time of the compiler beside them, and of the one they waited for.
TEST(ThreadPool, WaitingThreadsSleep) {
  ThreadPool pool(4);
  pool.run(4, [](int) {});
  const double before = cpu_seconds();
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  EXPECT_FALSE(never.wait_for(lock, std::chrono::milliseconds(200), [] { return false; }));
  EXPECT_LT(cpu_seconds() - before, 0.05);  // three that spin would take up to 0.6
}

TEST(ThreadPool, ACallerThatWaitsForALongTaskSleeps) {
  ThreadPool pool(2);
  std::latch both(2);
  const std::thread::id caller = std::this_thread::get_id();
  double before = 0, after = 0;
  pool.run(2, [&](int) {
    both.arrive_and_wait();
    if (std::this_thread::get_id() == caller) return;
    before = cpu_seconds();
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds(200), [] { return false; });
    after = cpu_seconds();
  });
  EXPECT_LT(after - before, 0.05);
}

TEST(ThreadPool, EndsWhileIdle) {
  for (int round = 0; round < 200; ++round) {
    ThreadPool pool(4);
    if (round % 2 == 0) pool.run(round, [](int) {});
  }
}

}  // namespace
}  // namespace weft::model
