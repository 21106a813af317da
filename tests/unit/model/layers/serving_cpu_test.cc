#include <gtest/gtest.h>

#include <thread>

#include "model/layers/weights.h"

namespace weft::model {
namespace {

TEST(ServingCpu, HasAsManyThreadsAsAreAskedFor) {
  EXPECT_EQ((*serving_cpu(1))->workers->size(), 1);
  EXPECT_EQ((*serving_cpu(3))->workers->size(), 3);
  EXPECT_EQ((*serving_cpu(0))->workers->size(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(ServingCpu, IsTheSameForTheSameNumber) {
  EXPECT_EQ(*serving_cpu(3), *serving_cpu(3));
  EXPECT_NE((*serving_cpu(2))->workers, (*serving_cpu(3))->workers);
}

}  // namespace
}  // namespace weft::model
