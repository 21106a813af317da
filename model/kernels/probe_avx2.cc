// The probes' loops for AVX2. Compiled for it; see linear_avx2.cc.
#include <immintrin.h>

#include "model/kernels/probe_loops.h"

namespace weft::model {
namespace {

// Eight independent sums hide the latency of each. Written out, lest the compiler see that nothing comes of it.
#define WEFT_EIGHT(step)                                                                                   \
  step("%%ymm0") step("%%ymm1") step("%%ymm2") step("%%ymm3") step("%%ymm4") step("%%ymm5") step("%%ymm6") \
      step("%%ymm7")
#define WEFT_CLOBBERS \
  "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10", "ymm11", "ymm12", "ymm13"
#define WEFT_ZERO(sum) "vpxor " sum ", " sum ", " sum "\n\t"

#define WEFT_FLOAT_STEP(sum) "vfmadd231ps %%ymm8, %%ymm9, " sum "\n\t"
#define WEFT_INT8_STEP(sum)                  \
  "vpsignb %%ymm8, %%ymm9, %%ymm10\n\t"      \
  "vpmaddubsw %%ymm10, %%ymm11, %%ymm10\n\t" \
  "vpmaddwd %%ymm12, %%ymm10, %%ymm10\n\t"   \
  "vpaddd %%ymm10, " sum ", " sum "\n\t"
#define WEFT_INT4_STEP(sum)                \
  "vpmaddubsw %%ymm8, %%ymm9, %%ymm10\n\t" \
  "vpaddw %%ymm10, " sum ", " sum "\n\t"

#define WEFT_LOOP(name, step)                                                                                       \
  void name(std::int64_t rounds) {                                                                                  \
    __asm__ volatile(WEFT_EIGHT(WEFT_ZERO) WEFT_ZERO("%%ymm8") WEFT_ZERO("%%ymm9") WEFT_ZERO("%%ymm11")             \
                         WEFT_ZERO("%%ymm12")::                                                                     \
                             : WEFT_CLOBBERS);                                                                      \
    for (std::int64_t i = 0; i < rounds; ++i) __asm__ volatile(WEFT_EIGHT(step) WEFT_EIGHT(step)::: WEFT_CLOBBERS); \
  }
WEFT_LOOP(float32_loop, WEFT_FLOAT_STEP)
WEFT_LOOP(int8_loop, WEFT_INT8_STEP)
WEFT_LOOP(int4_loop, WEFT_INT4_STEP)

std::uint64_t read(const std::byte* data, std::size_t bytes) {
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (std::size_t at = 0; at < bytes; at += 256) {
    for (int i = 0; i < 8; ++i) {
      sums[i] = _mm256_xor_si256(sums[i], _mm256_load_si256(reinterpret_cast<const __m256i*>(data + at + i * 32)));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

}  // namespace

void use_avx2(ProbeLoops& loops) {
  loops = {.float32 = {float32_loop, 16 * 8 * 2},
           .int8 = {int8_loop, 16 * 32 * 2},
           .int4 = {int4_loop, 16 * 32 * 2},
           .read = read};
}

}  // namespace weft::model
