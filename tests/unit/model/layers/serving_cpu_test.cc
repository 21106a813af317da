#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "model/layers/weights.h"

namespace weft::model {
namespace {

TEST(ServingCpu, SharesWorkAmongLibTorchsThreads) {
  at::set_num_threads(2);
  Workers& workers = *(*serving_cpu())->workers;
  ASSERT_EQ(workers.size(), 2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  workers.run(2, [&](int) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 2);
}

}  // namespace
}  // namespace weft::model
