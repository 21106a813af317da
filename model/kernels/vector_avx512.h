// Avx512Vector: 16 floats for the kernels' templates. Only for files that are compiled for AVX512; members as
// PortableVector's.
#pragma once

#include "model/kernels/vector_avx2.h"

namespace weft::model {

struct Avx512Vector {
  static constexpr int kLanes = 16;
  using Float = __m512;

  WEFT_VECTOR __mmask16 first_lanes(std::int64_t count) {
    return static_cast<__mmask16>(count >= 16 ? 0xffffU : (1U << count) - 1U);
  }
  WEFT_VECTOR Float set(float value) { return _mm512_set1_ps(value); }
  WEFT_VECTOR Float load(const float* p) { return _mm512_loadu_ps(p); }
  WEFT_VECTOR Float load_part(const float* p, std::int64_t count) {
    return _mm512_maskz_loadu_ps(first_lanes(count), p);
  }
  WEFT_VECTOR Float load_bfloat16(const std::uint16_t* p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  WEFT_VECTOR void store(float* p, Float a) { _mm512_storeu_ps(p, a); }
  WEFT_VECTOR void store_part(float* p, Float a, std::int64_t count) {
    _mm512_mask_storeu_ps(p, first_lanes(count), a);
  }
  WEFT_VECTOR Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  WEFT_VECTOR Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  WEFT_VECTOR Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  WEFT_VECTOR Float div(Float a, Float b) { return _mm512_div_ps(a, b); }
  WEFT_VECTOR Float sqrt(Float a) { return _mm512_sqrt_ps(a); }
  WEFT_VECTOR Float max(Float a, Float b) { return _mm512_max_ps(a, b); }
  WEFT_VECTOR Float min(Float a, Float b) { return _mm512_min_ps(a, b); }
  WEFT_VECTOR Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  WEFT_VECTOR Float round(Float a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  WEFT_VECTOR Float power_of_two(Float a) {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
  }
  WEFT_VECTOR __m256 upper_half(Float a) { return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1)); }
  WEFT_VECTOR float sum(Float a) { return Avx2Vector::sum(_mm256_add_ps(_mm512_castps512_ps256(a), upper_half(a))); }
  WEFT_VECTOR float largest(Float a) {
    return Avx2Vector::largest(_mm256_max_ps(_mm512_castps512_ps256(a), upper_half(a)));
  }
  template <class Entry>
  WEFT_VECTOR void transpose8(const Entry* const* rows, std::int64_t at, float* to, std::int64_t stride) {
    Avx2Vector::transpose8(rows, at, to, stride);
    Avx2Vector::transpose8(rows + 8, at, to + 8, stride);
  }
};

}  // namespace weft::model
