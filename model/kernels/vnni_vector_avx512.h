// VnniVector: 64 bytes for linear_vnni_tile.h. Only for files that are compiled for AVX512 with VNNI.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace weft::model {

#define WEFT_VNNI static inline __attribute__((always_inline))

struct VnniVector {
  using Int = __m512i;
  using Float = __m512;
  WEFT_VNNI Int load(const std::byte* p) { return _mm512_loadu_si512(p); }
  WEFT_VNNI void store(std::byte* p, Int a) { _mm512_storeu_si512(p, a); }
  WEFT_VNNI Int broadcast4(const std::byte* p) {
    std::int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm512_set1_epi32(four);
  }
  WEFT_VNNI Int set(std::int32_t value) { return _mm512_set1_epi32(value); }
  WEFT_VNNI Int set_bytes(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  WEFT_VNNI Int set_pairs(int value) { return _mm512_set1_epi16(static_cast<short>(value)); }
  WEFT_VNNI Int exclusive_or(Int a, Int b) { return _mm512_xor_si512(a, b); }
  WEFT_VNNI Int both_bits(Int a, Int b) { return _mm512_and_si512(a, b); }
  WEFT_VNNI Int right4(Int a) { return _mm512_srli_epi16(a, 4); }  // of 16 bits each
  WEFT_VNNI Int subtract_bytes(Int a, Int b) { return _mm512_sub_epi8(a, b); }
  // Each lane's sum + 4 products of its unsigned a and signed b
  WEFT_VNNI Int add_products(Int sum, Int a, Int b) { return _mm512_dpbusd_epi32(sum, a, b); }
  // The same with the four bytes at b + kStrides * stride + kOffset in every lane. Written out, since with many sums
  // GCC 12 copies them about and lacks a register for the last: that took half as long again.
  template <int kStrides, int kOffset>
  WEFT_VNNI Int add_products(Int sum, Int a, const std::byte* b, std::int64_t stride) {
    if constexpr (kStrides == 0) {
      __asm__("vpdpbusd %c[at](%[b])%{1to16%}, %[a], %[sum]"
              : [sum] "+v"(sum)
              : [a] "v"(a), [b] "r"(b), [at] "i"(kOffset));
    } else {
      __asm__("vpdpbusd %c[at](%[b],%[stride],%c[strides])%{1to16%}, %[a], %[sum]"
              : [sum] "+v"(sum)
              : [a] "v"(a), [b] "r"(b), [stride] "r"(stride), [strides] "i"(kStrides), [at] "i"(kOffset));
    }
    return sum;
  }
  WEFT_VNNI Int multiply_pairs(Int a, Int b) { return _mm512_madd_epi16(a, b); }  // 2 products of int16, added

  WEFT_VNNI Float load_floats(const float* p) { return _mm512_loadu_ps(p); }
  WEFT_VNNI void store_floats(float* p, Float a) { _mm512_storeu_ps(p, a); }
  WEFT_VNNI Float load_halves(const std::uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  WEFT_VNNI Float set_float(float value) { return _mm512_set1_ps(value); }
  WEFT_VNNI Float to_float(Int a) { return _mm512_cvtepi32_ps(a); }
  WEFT_VNNI Float load_to_float(const std::int32_t* p) { return to_float(_mm512_loadu_si512(p)); }
  WEFT_VNNI Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  WEFT_VNNI Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  WEFT_VNNI Float low_bfloat16(Int pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
  WEFT_VNNI Float high_bfloat16(Int pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000U))));
  }
#if defined(__AVX512BF16__)
  template <int kStrides, int kOffset>
  WEFT_VNNI Float add_bfloat16_products(Float sum, Int a, const std::byte* b, std::int64_t stride) {
    if constexpr (kStrides == 0) {
      __asm__("vdpbf16ps %c[at](%[b])%{1to16%}, %[a], %[sum]"
              : [sum] "+v"(sum)
              : [a] "v"(a), [b] "r"(b), [at] "i"(kOffset));
    } else {
      __asm__("vdpbf16ps %c[at](%[b],%[stride],%c[strides])%{1to16%}, %[a], %[sum]"
              : [sum] "+v"(sum)
              : [a] "v"(a), [b] "r"(b), [stride] "r"(stride), [strides] "i"(kStrides), [at] "i"(kOffset));
    }
    return sum;
  }
#endif
  WEFT_VNNI void prefetch(const std::byte* p) {
    _mm_prefetch(reinterpret_cast<const char*>(p + 8192), _MM_HINT_T0);  // as in linear_avx2.cc
  }
};

}  // namespace weft::model
