// The emulation itself: small kernels, right ones and ones with each mistake that it is there to find.
#include "model/kernels/cuda/device.cuh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::model::cuda {
namespace {

using cuda_on_cpu::Buffer, cuda_on_cpu::Fault;
using testing::HasSubstr;

// The fault of one block of `threads` that runs `kernel`; empty: none.
template <class Kernel>
std::string fault_of(unsigned threads, Kernel kernel, std::size_t dynamic_shared_bytes = 0) {
  try {
    WEFT_LAUNCH(kernel, Dim3{}, (Dim3{threads, 1, 1}), dynamic_shared_bytes, nullptr);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return {};
}
unsigned thread() { return threadIdx.x; }

TEST(CudaOnCpu, BlocksAndThreadsHaveTheirPlace) {
  Buffer<int> out("out", 24);
  const auto kernel = [](Memory<int> to) {
    const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    to[block * 6 + threadIdx.y * 3 + threadIdx.x] = static_cast<int>(block * 10 + threadIdx.y * 3 + threadIdx.x);
  };
  WEFT_LAUNCH(kernel, (Dim3{2, 1, 2}), (Dim3{3, 2, 1}), 0, nullptr, out.data());
  EXPECT_EQ(out.values(), (std::vector<int>{0,  1,  2,  3,  4,  5,  10, 11, 12, 13, 14, 15,
                                            20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35}));
}

TEST(CudaOnCpu, ABarrierLetsOneReadWhatOthersWrote) {
  Buffer<int> out("out", 40);
  const auto kernel = [](Memory<int> to) {
    WEFT_SHARED(int, turned, 40);
    turned[39 - thread()] = static_cast<int>(thread());
    WEFT_BARRIER();
    to[thread()] = turned[thread()];
  };
  WEFT_LAUNCH(kernel, Dim3{}, (Dim3{40, 1, 1}), 0, nullptr, out.data());
  EXPECT_EQ(out.values().front(), 39);
  EXPECT_EQ(out.values().back(), 0);
}

TEST(CudaOnCpu, WarpsReduceByShuffles) {
  Buffer<float> out("out", 64);
  const auto kernel = [](Memory<float> to) { to[thread()] = warp_sum(static_cast<float>(thread())); };
  WEFT_LAUNCH(kernel, Dim3{}, (Dim3{64, 1, 1}), 0, nullptr, out.data());
  EXPECT_EQ(out.values()[0], 31 * 16);
  EXPECT_EQ(out.values()[63], 31 * 16 + 32 * 32);
}

TEST(CudaOnCpu, RacesAreFaults) {
  const auto write_read = [] {
    WEFT_SHARED(int, cell, 1);
    if (thread() == 0) cell[0] = 1;
    if (thread() == 1) static_cast<void>(static_cast<int>(cell[0]));
  };
  EXPECT_THAT(fault_of(2, write_read), HasSubstr("race: reads cell[0], which thread 0 of block 0 wrote"));
  const auto read_write = [] {
    WEFT_SHARED(int, cell, 1);
    if (thread() == 0) cell[0] = 1;
    WEFT_BARRIER();
    if (thread() == 1) static_cast<void>(static_cast<int>(cell[0]));
    if (thread() == 2) cell[0] = 2;
  };
  EXPECT_THAT(fault_of(3, read_write), HasSubstr("race: writes cell[0], which thread 1 of block 0 read"));
  const auto write_write = [] {
    WEFT_SHARED(int, cell, 1);
    cell[0] = static_cast<int>(thread());
  };
  EXPECT_THAT(fault_of(2, write_write), HasSubstr("race: writes cell[0], which thread 0 of block 0 wrote"));
}

TEST(CudaOnCpu, BlocksThatWriteTheSameElementRace) {
  Buffer<int> out("out", 1);
  const auto kernel = [](Memory<int> to) { to[0] = 1; };
  try {
    WEFT_LAUNCH(kernel, (Dim3{2, 1, 1}), Dim3{}, 0, nullptr, out.data());
    ADD_FAILURE() << "no fault";
  } catch (const Fault& fault) {
    EXPECT_THAT(fault.what(), HasSubstr("block (1, 0, 0), thread 0: race: writes out[0], which thread 0 of block 0"));
  }
  EXPECT_NO_THROW(WEFT_LAUNCH(kernel, Dim3{}, Dim3{}, 0, nullptr, out.data()));  // a launch comes after those before it
}

// Lane 0 writes, lane 1 reads after a barrier of both; lane 2 was not there, nor was the other warp.
TEST(CudaOnCpu, AWarpBarrierOrdersItsLanesAlone) {
  const auto read_by = [](unsigned reader) {
    return [reader] {
      WEFT_SHARED(int, cell, 1);
      if (thread() == 0) cell[0] = 1;
      if (thread() < 2) WEFT_WARP_BARRIER(0x3U);
      if (thread() == reader) static_cast<void>(static_cast<int>(cell[0]));
    };
  };
  EXPECT_EQ(fault_of(64, read_by(1)), "");
  EXPECT_THAT(fault_of(64, read_by(2)), HasSubstr("race"));
  EXPECT_THAT(fault_of(64, read_by(32)), HasSubstr("race"));
}

TEST(CudaOnCpu, AThreadThatMissesABarrierIsAFault) {
  const auto skipped = [] {
    if (thread() != 3) WEFT_BARRIER();
  };
  EXPECT_THAT(fault_of(4, skipped), HasSubstr("threads that will never meet: 1 ended; 3 wait at"));
  const auto elsewhere = [] {
    if (thread() == 0) {
      WEFT_BARRIER();
    } else {
      WEFT_BARRIER();
    }
  };
  EXPECT_THAT(fault_of(4, elsewhere), HasSubstr("threads that will never meet: 1 wait at"));
  const auto half_a_warp = [] {
    if (thread() < 16) warp_sum(1);
  };
  EXPECT_THAT(fault_of(32, half_a_warp), HasSubstr("threads that will never meet"));
  const auto small_block = [] { warp_sum(1); };
  EXPECT_THAT(fault_of(16, small_block), HasSubstr("a mask with lanes that the block does not have"));
}

TEST(CudaOnCpu, AccessesStayInTheirArray) {
  Buffer<float> data("data", {1, 2, 3});
  const auto past = [&] { static_cast<void>(Memory<const float>(data.data())[3]); };
  EXPECT_THAT(fault_of(1, past), HasSubstr("block (0, 0, 0), thread 0: reads data[3] of 3 elements"));
  const auto before = [&] { (Memory<float>(data.data()) + (-1))[0] = 0; };
  EXPECT_THAT(fault_of(1, before), HasSubstr("writes data[-1] of 3 elements"));
  const auto other_type = [&] { static_cast<void>(Memory<const double>(reinterpret_cast<double*>(data.data()))[0]); };
  EXPECT_THAT(fault_of(1, other_type), HasSubstr("reads data as another type"));
  const auto shared = [] {
    WEFT_SHARED(int, cells, 2);
    cells[2] = 0;
  };
  EXPECT_THAT(fault_of(1, shared), HasSubstr("writes cells[2] of 2 elements"));
  const auto dynamic = [] {
    WEFT_DYNAMIC_SHARED(int, cells);
    cells[2] = 0;
  };
  EXPECT_THAT(fault_of(1, dynamic, 8), HasSubstr("writes cells[2] of 2 elements"));
  EXPECT_EQ(fault_of(1, dynamic, 12), "");
  const auto unknown = [] { Memory<int>(nullptr)[0] = 0; };
  EXPECT_THAT(fault_of(1, unknown), HasSubstr("null pointer"));
  const auto misaligned = [&] {
    float to[8];
    load8(Memory<const float>(data.data()) + 1, to);
  };
  EXPECT_THAT(fault_of(1, misaligned), HasSubstr("no multiple of its width"));
}

TEST(CudaOnCpu, ReadingWhatNobodyWroteIsAFault) {
  Buffer<float> out("out", 2);
  const auto global = [&] { static_cast<void>(static_cast<float>(Memory<float>(out.data())[1])); };
  EXPECT_THAT(fault_of(1, global), HasSubstr("reads out[1], which nobody wrote"));
  const auto shared = [] {
    WEFT_SHARED(int, cell, 1);
    static_cast<void>(static_cast<int>(cell[0]));
  };
  EXPECT_THAT(fault_of(1, shared), HasSubstr("reads cell[0], which nobody wrote"));
}

TEST(CudaOnCpu, SixteenBitNumbersRoundToTheNearestEven) {
  EXPECT_EQ(to_float(from_float<Bf16>(1.00390625F)), 1.0F);  // half-way between 1 and the next
  EXPECT_EQ(to_float(from_float<Bf16>(1.01171875F)), 1.015625F);
  EXPECT_EQ(to_float(from_float<Half>(1.00048828125F)), 1.0F);
  EXPECT_EQ(to_float(from_float<Half>(0.1F)), 0.0999755859375F);
  EXPECT_EQ(to_float(from_float<Half>(65519)), 65504);
  EXPECT_EQ(to_float(from_float<Half>(-65520)), -INFINITY);
  EXPECT_EQ(to_float(from_float<Half>(5.9604644775390625e-8F)), 5.9604644775390625e-8F);  // the least
  EXPECT_TRUE(std::isnan(to_float(from_float<Half>(NAN))));
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Half half{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(half))) continue;
    ASSERT_EQ(from_float<Half>(to_float(half)).bits, half.bits);
  }
}

}  // namespace
}  // namespace weft::model::cuda
