// NcclCommunicator against a stand-in for NCCL's C interface: what it asks for, and what it does when NCCL fails.
#include "model/parallel/nccl_communicator.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/parallel/nccl_version.h"
#include "tests/support/nccl/nccl_stand_in.h"

namespace weft::model {
namespace {

using test::NcclCall;
using test::NcclStandIn;
using testing::HasSubstr;
using Kind = NcclCall::Kind;

class Nccl : public testing::Test {
 protected:
  void SetUp() override { NcclStandIn::instance().reset(); }

  std::unique_ptr<NcclCommunicator> join() {
    auto id = new_nccl_id();
    EXPECT_TRUE(id);
    auto joined = NcclCommunicator::join({*id, Rank(1), 3, [this] { return stream_; }});
    EXPECT_TRUE(joined) << joined.error().message;
    return *std::move(joined);
  }

  static const NcclCall& last_call() { return NcclStandIn::instance().calls().back(); }

  cudaStream_t stream_ = reinterpret_cast<cudaStream_t>(0x5EED);
};

TEST_F(Nccl, TellsItsVersion) { EXPECT_EQ(nccl_version(), "2.30.4"); }

TEST_F(Nccl, JoinsAsTheRankThatItIs) {
  const auto own = join();
  const NcclCall& call = last_call();
  EXPECT_EQ(call.kind, Kind::kInit);
  EXPECT_EQ(call.ranks, 3);
  EXPECT_EQ(call.rank, 1);
  EXPECT_EQ(call.id_byte, 'w');
  EXPECT_EQ(own->size(), 3);
  EXPECT_EQ(own->rank(), Rank(1));
}

TEST_F(Nccl, SumsEveryDtypeOnTheCurrentStream) {
  const auto own = join();
  const at::Tensor x = at::arange(12, at::kFloat).view({3, 4});
  for (const auto& [dtype, code] : {std::pair(at::kFloat, ncclFloat32), std::pair(at::kBFloat16, ncclBfloat16),
                                    std::pair(at::kHalf, ncclFloat16)}) {
    const at::Tensor local = x.to(dtype).t();  // not contiguous
    const at::Tensor sum = own->all_reduce_sum(local);
    EXPECT_TRUE(at::equal(sum, (x * 3).to(dtype).t())) << dtype;
    EXPECT_EQ(last_call().kind, Kind::kAllReduce);
    EXPECT_EQ(last_call().count, 12U);
    EXPECT_EQ(last_call().type, code);
    EXPECT_EQ(last_call().operation, ncclSum);
    EXPECT_EQ(last_call().stream, stream_);
    EXPECT_FALSE(last_call().in_place);  // the input may be a view that others read
  }
  EXPECT_THROW(own->all_reduce_sum(at::arange(3, at::kLong)), CommunicatorError);
}

TEST_F(Nccl, GathersAlongTheLastDimension) {
  const auto own = join();
  const at::Tensor x = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_TRUE(at::equal(own->all_gather_last(x), at::cat({x, x, x}, -1)));
  EXPECT_EQ(last_call().kind, Kind::kAllGather);
  EXPECT_EQ(last_call().count, 6U);  // of one rank
  EXPECT_EQ(last_call().stream, stream_);
}

TEST_F(Nccl, LeavesTheGroupOnce) {
  join().reset();
  EXPECT_EQ(last_call().kind, Kind::kDestroy);
  EXPECT_EQ(NcclStandIn::instance().open_groups(), 0U);
  {
    const auto own = join();
    own->abort("the other rank is gone");
    own->abort("twice");
    EXPECT_TRUE(own->aborted());
  }
  EXPECT_EQ(last_call().kind, Kind::kAbort);
  EXPECT_EQ(NcclStandIn::instance().open_groups(), 0U);
}

TEST_F(Nccl, AFailureOfNcclEndsTheGroup) {
  const auto own = join();
  NcclStandIn::instance().fail_next(ncclRemoteError);
  try {
    own->all_reduce_sum(at::ones({4}));
    ADD_FAILURE() << "a sum that NCCL did not make";
  } catch (const CommunicatorError& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1: the sum over 3 GPUs failed: a remote process exited"));
  }
  EXPECT_TRUE(own->aborted());
  const std::size_t calls = NcclStandIn::instance().calls().size();
  EXPECT_THROW(own->all_gather_last(at::ones({4})), CommunicatorError);
  EXPECT_EQ(NcclStandIn::instance().calls().size(), calls);  // the group is not touched again
}

TEST_F(Nccl, AGroupThatCannotBeJoinedIsAnError) {
  NcclStandIn::instance().fail_next(ncclRemoteError);
  const auto failed = NcclCommunicator::join({*new_nccl_id(), Rank(1), 3, [this] { return stream_; }});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("rank 1 of 3 cannot join its NCCL group: a remote process"));
}

}  // namespace
}  // namespace weft::model
