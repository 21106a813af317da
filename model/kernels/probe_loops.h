// The loops behind probe.h, by instruction set. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/kernels/cpu_isa.h"

namespace weft::model {

struct ProbeLoop {
  void (*run)(std::int64_t rounds) = nullptr;
  double ops_per_round = 0;
};

struct ProbeLoops {
  ProbeLoop float32, int8, int4;
  std::uint64_t (*read)(const std::byte* data,
                        std::size_t bytes) = nullptr;  // bytes: a multiple of 256; the sum is no use
};

const ProbeLoops& probe_loops(Isa isa);

ProbeLoops reference_probe_loops();
#if defined(__x86_64__)
void use_avx2(ProbeLoops& loops);
void use_avx512(ProbeLoops& loops);
void use_amx(ProbeLoops& loops);
#endif

}  // namespace weft::model
