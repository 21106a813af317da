// Which instruction sets the kernels may use. Each entry includes those before it. Thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

namespace weft::model {

enum class Isa {
  kReference,   // plain C++, every processor
  kAvx2,        // AVX2, FMA, F16C
  kAvx512Vnni,  // AVX512 F, BW, DQ, VL and VNNI
  kAvx512Bf16,
  kAmx,  // tiles of int8 and bf16
};

std::string_view isa_name(Isa isa);  // reference, avx2, avx512, avx512bf16, amx

// What the processor has, the operating system saves and this binary was built with. Asks Linux for the use of tiles
// the first time; without that permission the first tile instruction would kill the process.
Isa detect_isa();

// All that can run where `best` can, the simplest first.
std::vector<Isa> isas_up_to(Isa best);

// `wanted` as WEFT_CPU_ISA gives it; nothing or "" means the best. Unknown or beyond the machine: an error.
Expected<Isa> choose_isa(std::optional<std::string_view> wanted, Isa best);

// The above for this process's WEFT_CPU_ISA and machine.
Expected<Isa> active_isa();

}  // namespace weft::model
