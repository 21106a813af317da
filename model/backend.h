// What the tensor library and the processor offer, for `weft doctor` and the log. Free of torch. Thread-safe.
#pragma once

#include <string>

namespace weft::model {

struct BackendInfo {
  std::string torch_version;
  std::string cpu_capability;  // what LibTorch's kernels chose: DEFAULT, AVX2, AVX512
  bool avx2 = false, avx512 = false, avx512_vnni = false, avx512_bf16 = false;
  bool amx_bf16 = false, amx_int8 = false;  // of the processor; the kernel must grant them as well
  int threads = 0;
  int cuda_devices = 0;  // 0 too when this build has no CUDA
  bool cuda_built = false;
  std::string nccl_version;  // "2.30.1"; empty when this build has no CUDA
};

BackendInfo backend_info();
std::string describe_backend();  // the same in one line

// The processor multiplies bf16 itself (AVX512-BF16 or AMX). Where it does not, fp32 is several times faster.
[[nodiscard]] bool multiplies_bf16();

}  // namespace weft::model
