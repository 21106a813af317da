// Avx2Vector: 8 floats for the kernels' templates. Only for files that are compiled for AVX2; members as
// PortableVector's.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace weft::model {

#define WEFT_VECTOR static inline __attribute__((always_inline))

struct Avx2Vector {
  static constexpr int kLanes = 8;
  using Float = __m256;

  WEFT_VECTOR __m256i first_lanes(std::int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  WEFT_VECTOR Float set(float value) { return _mm256_set1_ps(value); }
  WEFT_VECTOR Float load(const float* p) { return _mm256_loadu_ps(p); }
  WEFT_VECTOR Float load_part(const float* p, std::int64_t count) { return _mm256_maskload_ps(p, first_lanes(count)); }
  WEFT_VECTOR Float load_bfloat16(const std::uint16_t* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  WEFT_VECTOR void store(float* p, Float a) { _mm256_storeu_ps(p, a); }
  WEFT_VECTOR void store_part(float* p, Float a, std::int64_t count) { _mm256_maskstore_ps(p, first_lanes(count), a); }
  WEFT_VECTOR Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  WEFT_VECTOR Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  WEFT_VECTOR Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  WEFT_VECTOR Float div(Float a, Float b) { return _mm256_div_ps(a, b); }
  WEFT_VECTOR Float sqrt(Float a) { return _mm256_sqrt_ps(a); }
  WEFT_VECTOR Float max(Float a, Float b) { return _mm256_max_ps(a, b); }
  WEFT_VECTOR Float min(Float a, Float b) { return _mm256_min_ps(a, b); }
  WEFT_VECTOR Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  WEFT_VECTOR Float round(Float a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  WEFT_VECTOR Float power_of_two(Float a) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
  WEFT_VECTOR float sum(Float a) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  WEFT_VECTOR float largest(Float a) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
  }

  WEFT_VECTOR Float load8(const float* p) { return load(p); }
  WEFT_VECTOR Float load8(const std::uint16_t* p) { return load_bfloat16(p); }
  template <class Entry>
  WEFT_VECTOR void transpose8(const Entry* const* rows, std::int64_t at, float* to, std::int64_t stride) {
    Float a[8], b[8];
    for (int i = 0; i < 8; ++i) a[i] = load8(rows[i] + at);
    for (int i = 0; i < 8; i += 2) {  // pairs of rows
      b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
      b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {  // fours
      a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
      a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
      a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
      a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {  // halves
      store(to + i * stride, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
      store(to + (i + 4) * stride, _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
  }
};

}  // namespace weft::model
