// ShmCommunicator between threads that each play a rank: sums, gathers, and what happens when one does not come.
#include "model/parallel/shm_communicator.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

namespace weft::model {
namespace {

using testing::HasSubstr;

class Shm : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { start_new_group(); }

  void start_new_group() {
    auto memory = SharedMemory::create(ShmCommunicator::memory_bytes(GetParam()));
    ASSERT_TRUE(memory) << memory.error().message;
    memory_.emplace(*std::move(memory));
  }

  [[nodiscard]] ShmCommunicator communicator(int rank, std::chrono::milliseconds patience = std::chrono::minutes(1)) {
    auto mapped = SharedMemory::map(UniqueFd(::fcntl(memory_->descriptor(), F_DUPFD_CLOEXEC, 0)), memory_->size());
    WEFT_CHECK(mapped.has_value());
    ShmCommunicatorOptions options;
    options.rank = Rank(rank);
    options.size = GetParam();
    options.patience = patience;
    return {*std::move(mapped), std::move(options)};
  }

  // What each rank's `work` returns, in a group of its own.
  std::vector<at::Tensor> on_every_rank(const std::function<at::Tensor(Communicator&)>& work) {
    start_new_group();
    std::vector<at::Tensor> out(static_cast<std::size_t>(GetParam()));
    std::vector<std::thread> ranks;
    for (int rank = 0; rank < GetParam(); ++rank) {
      ranks.emplace_back([this, rank, &out, &work] {
        ShmCommunicator own = communicator(rank);
        out[static_cast<std::size_t>(rank)] = work(own);
      });
    }
    for (std::thread& rank : ranks) rank.join();
    return out;
  }

  static at::Tensor share(int rank, at::IntArrayRef shape, at::ScalarType dtype = at::kFloat) {
    at::Generator random = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rank) + 1);
    return at::randn(shape, random).to(dtype);
  }

  // In rank order, in fp32, rounded once.
  [[nodiscard]] static at::Tensor expected_sum(at::IntArrayRef shape, at::ScalarType dtype) {
    at::Tensor sum = share(0, shape, dtype).to(at::kFloat, false, /*copy=*/true);
    for (int rank = 1; rank < GetParam(); ++rank) sum.add_(share(rank, shape, dtype));
    return sum.to(dtype);
  }

  std::optional<SharedMemory> memory_;
};

TEST_P(Shm, SumsInRankOrderToTheSameBitsEverywhere) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const auto sums = on_every_rank([&](Communicator& own) {
      return own.all_reduce_sum(share(own.rank().value(), {7, 33}, dtype));
    });
    for (const at::Tensor& sum : sums) EXPECT_TRUE(at::equal(sum, expected_sum({7, 33}, dtype))) << dtype;
  }
}

TEST_P(Shm, TensorsLargerThanASlotGoInPieces) {
  const std::vector<std::int64_t> shape{3, 200'000};  // 2.4 MB
  const auto sums =
      on_every_rank([&](Communicator& own) { return own.all_reduce_sum(share(own.rank().value(), shape)); });
  for (const at::Tensor& sum : sums) EXPECT_TRUE(at::equal(sum, expected_sum(shape, at::kFloat)));
  std::vector<at::Tensor> shares;
  for (int rank = 0; rank < GetParam(); ++rank) shares.push_back(share(rank, shape));
  const auto gathered =
      on_every_rank([&](Communicator& own) { return own.all_gather_last(share(own.rank().value(), shape)); });
  for (const at::Tensor& all : gathered) EXPECT_TRUE(at::equal(all, at::cat(shares, -1)));
}

TEST_P(Shm, GathersAlongTheLastDimensionInRankOrder) {
  std::vector<at::Tensor> shares;
  for (int rank = 0; rank < GetParam(); ++rank) shares.push_back(share(rank, {2, 3, 5}));
  const auto gathered = on_every_rank([&](Communicator& own) {
    return own.all_gather_last(share(own.rank().value(), {2, 3, 5}));
  });
  for (const at::Tensor& all : gathered) EXPECT_TRUE(at::equal(all, at::cat(shares, -1)));
}

TEST_P(Shm, TakesInputsThatAreNotContiguous) {
  const auto sums = on_every_rank([&](Communicator& own) {
    return own.all_reduce_sum(share(own.rank().value(), {6, 4}).t());
  });
  for (const at::Tensor& sum : sums) EXPECT_TRUE(at::equal(sum, expected_sum({6, 4}, at::kFloat).t()));
}

// A slot that were written again too early would show here: ranks run ahead of each other as far as they may.
TEST_P(Shm, ManyCollectivesOneAfterTheOtherDoNotMix) {
  constexpr int kTimes = 500;
  const auto totals = on_every_rank([&](Communicator& own) {
    at::Tensor total = at::zeros({4});
    for (int i = 0; i < kTimes; ++i) {
      const at::Tensor sum = own.all_reduce_sum(at::full({4}, static_cast<double>(i * (own.rank().value() + 1))));
      const double expected = i * GetParam() * (GetParam() + 1) / 2.0;
      total += (sum == expected).to(at::kFloat);
    }
    return total;
  });
  for (const at::Tensor& total : totals) EXPECT_TRUE(at::equal(total, at::full({4}, double{kTimes})));
}

TEST_P(Shm, ARankThatGivesUpIsSeenByTheOthersAtOnce) {
  std::thread quitter([this] { communicator(GetParam() - 1).abort("out of memory at layer 3"); });
  ShmCommunicator waiting = communicator(0);
  try {
    waiting.all_reduce_sum(at::zeros({4}));
    ADD_FAILURE() << "the sum of a group that is no more";
  } catch (const CommunicatorError& error) {
    EXPECT_STREQ(error.what(), "out of memory at layer 3");
  }
  quitter.join();
  EXPECT_TRUE(waiting.aborted());
  EXPECT_THROW(waiting.all_gather_last(at::zeros({4})), CommunicatorError);
}

TEST_P(Shm, ARankThatNeverComesIsNotWaitedForForEver) {
  ShmCommunicator waiting = communicator(0, std::chrono::milliseconds(50));
  try {
    waiting.all_reduce_sum(at::zeros({4}));
    ADD_FAILURE() << "the sum of ranks that never came";
  } catch (const CommunicatorError& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1 has not come"));
  }
}

TEST_P(Shm, RanksThatLostStepAreAnErrorAndNotANumber) {
  std::atomic<int> failures = 0;
  on_every_rank([&](Communicator& own) {
    const bool other = own.rank().value() == GetParam() - 1;
    try {
      return own.all_reduce_sum(at::zeros({other ? 5 : 4}));
    } catch (const CommunicatorError&) {
      ++failures;
      return at::Tensor();
    }
  });
  EXPECT_EQ(failures, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ranks, Shm, testing::Values(2, 3, 4),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace weft::model
