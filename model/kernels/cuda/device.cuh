// The names that a kernel uses of the device, so that one source is a CUDA kernel under nvcc and, in the tests, C++
// whose threads run on the processor (tests/support/cuda_on_cpu). Every .cu file uses these and no others of CUDA's but
// threadIdx, blockIdx, gridDim, __global__, __device__ and __forceinline__:
//
//   Memory<T>                  a pointer to global or shared memory
//   WEFT_SHARED(T, name, n)    an array of the block's, aligned for vector accesses; WEFT_DYNAMIC_SHARED(T, name): as
//   large
//                              as the launch says, one a kernel
//   WEFT_BARRIER()             all threads of the block meet; WEFT_WARP_BARRIER(mask): those lanes of the warp
//   WEFT_GUARD(condition)      the condition that keeps an access inside its array
//   load8, copy8               8 elements at once, at addresses that are multiples of 16 bytes
//   WEFT_LAUNCH, launch_error  from the host
//
// The tests leave out each barrier and each guard in turn and want to see it: use WEFT_GUARD for what must not be
// missing, and a plain `if` for what merely saves work.
#pragma once

#include <cstdint>

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define WEFT_UNROLL _Pragma("unroll")
#define WEFT_SHARED(type, name, count) __shared__ __align__(16) type name[count]
#define WEFT_DYNAMIC_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char weft_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(weft_dynamic_shared)
#define WEFT_BARRIER() __syncthreads()
#define WEFT_WARP_BARRIER(mask) __syncwarp(mask)
#define WEFT_GUARD(condition) (condition)
#define WEFT_LAUNCH(kernel, grid, block, dynamic_shared_bytes, stream, ...) \
  kernel<<<grid, block, dynamic_shared_bytes, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__)

namespace weft::model::cuda {

using Bf16 = __nv_bfloat16;
using Half = __half;
using Dim3 = dim3;
template <class T>
using Memory = T*;

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(Bf16 value) { return __bfloat162float(value); }
__device__ __forceinline__ float to_float(Half value) { return __half2float(value); }
template <class T>
__device__ T from_float(float value);
template <>
__device__ __forceinline__ float from_float<float>(float value) {
  return value;
}
template <>
__device__ __forceinline__ Bf16 from_float<Bf16>(float value) {
  return __float2bfloat16_rn(value);
}
template <>
__device__ __forceinline__ Half from_float<Half>(float value) {
  return __float2half_rn(value);
}

__device__ __forceinline__ float shuffle_xor(std::uint32_t mask, float value, unsigned lane_mask) {
  return __shfl_xor_sync(mask, value, static_cast<int>(lane_mask));
}

template <class T>
__device__ __forceinline__ void copy8(T* to, const T* from) {
  WEFT_UNROLL
  for (int i = 0; i < static_cast<int>(8 * sizeof(T) / sizeof(uint4)); ++i) {
    reinterpret_cast<uint4*>(to)[i] = reinterpret_cast<const uint4*>(from)[i];
  }
}
template <class T>
__device__ __forceinline__ void load8(const T* from, float (&to)[8]) {
  __align__(16) T raw[8];
  copy8(raw, from);
  WEFT_UNROLL
  for (int i = 0; i < 8; ++i) to[i] = to_float(raw[i]);
}

// Null where the last launch was accepted.
inline const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace weft::model::cuda

#else
#include <cuda_on_cpu.h>  // of the tests, which alone have it on their include path
#endif

namespace weft::model::cuda {

constexpr int kWarpSize = 32;
constexpr std::uint32_t kWholeWarp = 0xFFFFFFFFU;

// Of all lanes; each gets the same bits.
__device__ __forceinline__ float warp_sum(float value) {
  for (unsigned step = kWarpSize / 2; step > 0; step /= 2) value += shuffle_xor(kWholeWarp, value, step);
  return value;
}
__device__ __forceinline__ float warp_max(float value) {
  for (unsigned step = kWarpSize / 2; step > 0; step /= 2) value = fmaxf(value, shuffle_xor(kWholeWarp, value, step));
  return value;
}

}  // namespace weft::model::cuda
