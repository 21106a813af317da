// What model/kernels/cuda/device.cuh stands for where the compiler is not nvcc: the names that a kernel uses, over the
// emulated grid (block.h) and its checked memory (memory.h). Test thread only.
#pragma once

#include <cmath>

#include "tests/support/cuda_on_cpu/block.h"
#include "tests/support/cuda_on_cpu/memory.h"
#include "tests/support/cuda_on_cpu/number.h"

#define __global__
#define __device__
#define __forceinline__ inline

#define WEFT_UNROLL
#define WEFT_SHARED(type, name, count) const auto name = ::weft::cuda_on_cpu::shared<type>(#name, __LINE__, count)
#define WEFT_DYNAMIC_SHARED(type, name) \
  WEFT_SHARED(type, name, ::weft::cuda_on_cpu::dynamic_shared_bytes() / sizeof(type))
#define WEFT_BARRIER() ::weft::cuda_on_cpu::block_barrier(__FILE__, __LINE__)
#define WEFT_WARP_BARRIER(mask) ::weft::cuda_on_cpu::warp_barrier(__FILE__, __LINE__, mask)
#define WEFT_GUARD(condition) ::weft::cuda_on_cpu::guard(__FILE__, __LINE__, condition)
#define WEFT_LAUNCH(kernel, grid, block, dynamic_shared_bytes, stream, ...) \
  (static_cast<void>(stream),                                               \
   ::weft::cuda_on_cpu::launch(grid, block, dynamic_shared_bytes, [&] { kernel(__VA_ARGS__); }))

namespace weft::model::cuda {

using cuda_on_cpu::Bf16, cuda_on_cpu::Half, cuda_on_cpu::Dim3;
using cuda_on_cpu::blockIdx, cuda_on_cpu::gridDim, cuda_on_cpu::threadIdx;
using cuda_on_cpu::from_float, cuda_on_cpu::shuffle_xor, cuda_on_cpu::to_float;
template <class T>
using Memory = cuda_on_cpu::Pointer<T>;

template <class T>
void load8(const Memory<T>& from, float (&to)[8]) {
  from.require_aligned(16);
  for (int i = 0; i < 8; ++i) to[i] = to_float(static_cast<std::remove_const_t<T>>(from[i]));
}
template <class T>
void copy8(const Memory<T>& to, const Memory<const T>& from) {
  to.require_aligned(16);
  from.require_aligned(16);
  for (int i = 0; i < 8; ++i) to[i] = from[i];
}

inline const char* launch_error() { return nullptr; }

}  // namespace weft::model::cuda
