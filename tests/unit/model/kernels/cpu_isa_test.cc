#include "model/kernels/cpu_isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CpuIsa, TheBestUnlessAskedForLess) {
  EXPECT_EQ(*choose_isa(std::nullopt, Isa::kAvx2), Isa::kAvx2);
  EXPECT_EQ(*choose_isa("", Isa::kAmx), Isa::kAmx);
  EXPECT_EQ(*choose_isa("reference", Isa::kAmx), Isa::kReference);
  EXPECT_EQ(*choose_isa("avx512", Isa::kAmx), Isa::kAvx512Vnni);
  EXPECT_EQ(*choose_isa("avx2", Isa::kAvx2), Isa::kAvx2);
}

TEST(CpuIsa, RefusesWhatTheProcessorLacksAndWhatIsUnknown) {
  EXPECT_THAT(choose_isa("amx", Isa::kAvx2).error().message, HasSubstr("amx: this processor has no more than avx2"));
  EXPECT_THAT(choose_isa("sse9", Isa::kAvx2).error().message, HasSubstr("known are reference, avx2, avx512"));
}

TEST(CpuIsa, ReadsTheEnvironment) {
  ASSERT_EQ(::setenv("WEFT_CPU_ISA", "reference", 1), 0);
  EXPECT_EQ(*active_isa(), Isa::kReference);
  ASSERT_EQ(::setenv("WEFT_CPU_ISA", "nonsense", 1), 0);
  EXPECT_FALSE(active_isa());
  ASSERT_EQ(::unsetenv("WEFT_CPU_ISA"), 0);
  EXPECT_EQ(*active_isa(), detect_isa());
}

TEST(CpuIsa, ListsWhatRunsWhereTheBestDoes) {
  EXPECT_THAT(isas_up_to(Isa::kAvx512Vnni), ElementsAre(Isa::kReference, Isa::kAvx2, Isa::kAvx512Vnni));
}

}  // namespace
}  // namespace weft::model
