#include "model/backend.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#ifdef WEFT_WITH_CUDA
#include "model/parallel/nccl_version.h"
#endif

namespace weft::model {
namespace {

#if defined(__x86_64__)
void read_cpu_features(BackendInfo& info) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    info.avx2 = (b & (1U << 5)) != 0;
    info.avx512 = (b & (1U << 16)) != 0;
    info.avx512_vnni = (c & (1U << 11)) != 0;
    info.amx_bf16 = (d & (1U << 22)) != 0;
    info.amx_int8 = (d & (1U << 25)) != 0;
  }
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) info.avx512_bf16 = (a & (1U << 5)) != 0;
}
#else
void read_cpu_features(BackendInfo&) {}
#endif

}  // namespace

BackendInfo backend_info() {
  BackendInfo info;
  info.torch_version = TORCH_VERSION;
  info.cpu_capability = at::get_cpu_capability();
  info.threads = at::get_num_threads();
#ifdef WEFT_WITH_CUDA
  info.cuda_built = true;
  info.nccl_version = nccl_version();
#else
  info.cuda_built = at::hasCUDA();
#endif
  info.cuda_devices = at::hasCUDA() ? static_cast<int>(at::getNumGPUs()) : 0;
  read_cpu_features(info);
  return info;
}

bool multiplies_bf16() {
  static const bool native = [] {
    BackendInfo info;
    read_cpu_features(info);
    return info.avx512_bf16 || info.amx_bf16;
  }();
  return native;
}

std::string describe_backend() {
  const BackendInfo info = backend_info();
  std::string out = "libtorch " + info.torch_version + ", CPU kernels " + info.cpu_capability;
  if (info.avx512_vnni) out += ", AVX512-VNNI";
  if (info.avx512_bf16) out += ", AVX512-BF16";
  if (info.amx_bf16 || info.amx_int8) out += ", AMX";
  out += ", " + std::to_string(info.threads) + " threads, ";
  if (!info.nccl_version.empty()) out += "NCCL " + info.nccl_version + ", ";
  out += info.cuda_devices > 0 ? std::to_string(info.cuda_devices) + " CUDA devices" : std::string("no CUDA device");
  return out;
}

}  // namespace weft::model
