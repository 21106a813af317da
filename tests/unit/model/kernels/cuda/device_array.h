// Arrays that the kernels under test read and write: on the GPU in the CUDA build, else the emulation's checked
// buffers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#ifdef WEFT_WITH_CUDA
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#else
#include "tests/support/cuda_on_cpu/memory.h"
#endif

namespace weft::model::cuda {

#ifdef WEFT_WITH_CUDA

template <class T>
class DeviceArray {
 public:
  DeviceArray(const std::string& name, const std::vector<T>& values) : DeviceArray(name, values.size()) {
    EXPECT_EQ(cudaMemcpy(at_, values.data(), count_ * sizeof(T), cudaMemcpyDefault), cudaSuccess);
  }
  DeviceArray(const std::string& name, std::size_t count) : count_(count) {
    if (count > 0) {
      EXPECT_EQ(cudaMalloc(&at_, count * sizeof(T)), cudaSuccess) << name;
    }
  }
  ~DeviceArray() { cudaFree(at_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  T* data() { return static_cast<T*>(at_); }
  // Waits for the kernels.
  std::vector<T> values() {
    std::vector<T> out(count_);
    EXPECT_EQ(cudaMemcpy(out.data(), at_, count_ * sizeof(T), cudaMemcpyDefault), cudaSuccess);
    return out;
  }

 private:
  void* at_ = nullptr;
  std::size_t count_;
};
// Why kernels cannot run here; empty where they can.
inline std::string no_device() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  return error == cudaSuccess && count > 0 ? "" : std::string("no GPU: ") + cudaGetErrorString(error);
}

#else

template <class T>
using DeviceArray = cuda_on_cpu::Buffer<T>;
inline std::string no_device() { return ""; }

#endif

}  // namespace weft::model::cuda
