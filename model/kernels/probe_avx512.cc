// The probes' loops for AVX512 with VNNI. Compiled for it; see probe_avx2.cc.
#include "model/kernels/probe_loops.h"

namespace weft::model {
namespace {

#define WEFT_SIXTEEN(step)                                                                                       \
  step("0") step("1") step("2") step("3") step("4") step("5") step("6") step("7") step("8") step("9") step("10") \
      step("11") step("12") step("13") step("14") step("15")
#define WEFT_ZERO(sum) "vpxord %%zmm" sum ", %%zmm" sum ", %%zmm" sum "\n\t"
#define WEFT_CLOBBERS                                                                                                 \
  "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11", "zmm12", "zmm13", \
      "zmm14", "zmm15", "zmm16", "zmm17"
#define WEFT_FLOAT_STEP(sum) "vfmadd231ps %%zmm16, %%zmm17, %%zmm" sum "\n\t"
#define WEFT_BYTE_STEP(sum) "vpdpbusd %%zmm16, %%zmm17, %%zmm" sum "\n\t"
#define WEFT_LOOP(name, step)                                                                        \
  void name(std::int64_t rounds) {                                                                   \
    __asm__ volatile(WEFT_SIXTEEN(WEFT_ZERO) WEFT_ZERO("16") WEFT_ZERO("17")::: WEFT_CLOBBERS);      \
    for (std::int64_t i = 0; i < rounds; ++i) __asm__ volatile(WEFT_SIXTEEN(step)::: WEFT_CLOBBERS); \
  }
WEFT_LOOP(float32_loop, WEFT_FLOAT_STEP)
WEFT_LOOP(byte_loop, WEFT_BYTE_STEP)

}  // namespace

void use_avx512(ProbeLoops& loops) {
  loops.float32 = {float32_loop, 16 * 16 * 2};
  loops.int8 = loops.int4 = {byte_loop, 16 * 64 * 2};
}

}  // namespace weft::model
