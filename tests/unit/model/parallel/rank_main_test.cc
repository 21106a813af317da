// This test program is re-executed as a rank by the groups that its tests start.
#include <gtest/gtest.h>

#include "model/rank.h"

int main(int argc, char** argv) {
  if (const auto code = weft::model::run_if_started_as_rank()) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
