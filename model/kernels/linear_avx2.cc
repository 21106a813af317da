// The linear kernels for AVX2, FMA and F16C. Compiled for them: nothing here is called before cpu_isa found them, and
// no inline function of the standard library is used, whose code the linker might hand to other processors.
//
// AVX2 multiplies bytes unsigned by signed, adds pairs and saturates at 16 bits. int8: |w| by x with w's sign, at most
// 2 * 128 * 127 < 2^15, widened at once. int4: w + 8, whose surplus is in the sum's beginning (corrections), so that 32
// products of at most 8 * 127 stay exact in 16 bits whatever the intermediate sums.
#include <immintrin.h>

#include "model/kernels/linear_kernels.h"

#define WEFT_INLINE inline __attribute__((always_inline))
#define WEFT_UNROLL _Pragma("GCC unroll 16")  // early enough for arrays to become registers

namespace weft::model {
namespace {

WEFT_INLINE __m256i load(const std::byte* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }

WEFT_INLINE __m256i broadcast4(const std::byte* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, sizeof(four));
  return _mm256_set1_epi32(four);
}

// The innermost steps are written out, because the order counts: an addition beside each multiplication keeps Zen's
// four pipes at work, where compilers gather the multiplications and spill the sums.
WEFT_INLINE void add_int8_products(__m256i& sum, __m256i w, __m256i magnitude, __m256i x, __m256i ones) {
  __m256i t;
  __asm__(
      "vpsignb %[w], %[x], %[t]\n\t"
      "vpmaddubsw %[t], %[magnitude], %[t]\n\t"
      "vpmaddwd %[ones], %[t], %[t]\n\t"
      "vpaddd %[t], %[sum], %[sum]"
      : [sum] "+x"(sum), [t] "=&x"(t)
      : [w] "x"(w), [magnitude] "x"(magnitude), [x] "x"(x), [ones] "x"(ones));
}

WEFT_INLINE void add_int4_products(__m256i& sum, __m256i w, __m256i x) {
  __m256i t;
  __asm__(
      "vpmaddubsw %[x], %[w], %[t]\n\t"
      "vpaddw %[t], %[sum], %[sum]"
      : [sum] "+x"(sum), [t] "=&x"(t)
      : [w] "x"(w), [x] "x"(x));
}

// What a core reads ahead by itself ends at pages and stops while it computes: without this, four rows take 1.4 times
// the time of one.
WEFT_INLINE void prefetch(const std::byte* p) {
  constexpr std::int64_t kAhead = 8192;  // a step of the driver
  _mm_prefetch(reinterpret_cast<const char*>(p + kAhead), _MM_HINT_T0);
}

template <int kRows>
WEFT_INLINE void int8_sums(const TileArguments& t, __m256 (&totals)[kRows][2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::int64_t block = 0; block < t.blocks; ++block) {
    const std::byte* const weights = t.weights + block * 1024;
    const std::byte* const x = t.x + block * kBlockColumns;
    __m256i sums[kRows][2];
    WEFT_UNROLL
    for (int row = 0; row < kRows; ++row) sums[row][0] = sums[row][1] = _mm256_setzero_si256();
    for (int quad = 0; quad < 16; ++quad) {
      prefetch(weights + quad * 64);
      const __m256i w0 = load(weights + quad * 64), w1 = load(weights + quad * 64 + 32);
      const __m256i magnitude0 = _mm256_abs_epi8(w0), magnitude1 = _mm256_abs_epi8(w1);
      WEFT_UNROLL
      for (int row = 0; row < kRows; ++row) {
        const __m256i four = broadcast4(x + row * t.x_stride_bytes + quad * 4);
        add_int8_products(sums[row][0], w0, magnitude0, four, ones);
        add_int8_products(sums[row][1], w1, magnitude1, four, ones);
      }
    }
    WEFT_UNROLL
    for (int row = 0; row < kRows; ++row) {
      const __m256 scale = _mm256_broadcast_ss(t.x_scales + row * t.scale_stride + block);
      totals[row][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[row][0]), scale, totals[row][0]);
      totals[row][1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[row][1]), scale, totals[row][1]);
    }
  }
}

template <std::int64_t kGroup, int kRows>
WEFT_INLINE void int4_sums(const TileArguments& t, __m256 (&totals)[kRows][2]) {
  constexpr int kOctets = kGroup == 32 ? 4 : 8;  // of columns, an activation scale
  const __m256i ones = _mm256_set1_epi16(1), low = _mm256_set1_epi8(0xf);
  const std::int64_t steps = t.blocks * (8 / kOctets);
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::byte* const weights = t.weights + step * (kOctets * 64);
    const std::byte* const x = t.x + step * (kOctets * 8);
    __m256i sums[kRows][2];
    WEFT_UNROLL
    for (int row = 0; row < kRows; ++row) {
      sums[row][0] = sums[row][1] = _mm256_set1_epi32(t.x_corrections[row * t.scale_stride + step]);
    }
    for (int octet = 0; octet < kOctets; ++octet) {
      prefetch(weights + octet * 64);
      const __m256i w0 = load(weights + octet * 64), w1 = load(weights + octet * 64 + 32);
      const __m256i first0 = _mm256_and_si256(w0, low), first1 = _mm256_and_si256(w1, low);
      const __m256i second0 = _mm256_and_si256(_mm256_srli_epi16(w0, 4), low);
      const __m256i second1 = _mm256_and_si256(_mm256_srli_epi16(w1, 4), low);
      WEFT_UNROLL
      for (int row = 0; row < kRows; ++row) {
        const std::byte* const eight = x + row * t.x_stride_bytes + octet * 8;
        const __m256i x0 = broadcast4(eight), x1 = broadcast4(eight + 4);
        add_int4_products(sums[row][0], first0, x0);
        add_int4_products(sums[row][1], first1, x0);
        add_int4_products(sums[row][0], second0, x1);
        add_int4_products(sums[row][1], second1, x1);
      }
    }
    const std::uint16_t* const scales = t.weight_scales + step * (kOctets * 8) / kGroup * kPanelRows;
    prefetch(reinterpret_cast<const std::byte*>(scales));
    WEFT_UNROLL
    for (int h = 0; h < 2; ++h) {
      const __m256 weight_scale = _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(scales + h * 8)));
      WEFT_UNROLL
      for (int row = 0; row < kRows; ++row) {
        const __m256 x_scale = _mm256_broadcast_ss(t.x_scales + row * t.scale_stride + step);
        const __m256 dots = _mm256_cvtepi32_ps(_mm256_madd_epi16(sums[row][h], ones));
        totals[row][h] = _mm256_fmadd_ps(dots, _mm256_mul_ps(x_scale, weight_scale), totals[row][h]);
      }
    }
  }
}

// kGroup 0: int8.
template <std::int64_t kGroup, int kRows>
void integer_tile(const TileArguments& t) {
  __m256 totals[kRows][2];
  WEFT_UNROLL
  for (int row = 0; row < kRows; ++row) {
    totals[row][0] = _mm256_loadu_ps(t.sums + row * kPanelRows);
    totals[row][1] = _mm256_loadu_ps(t.sums + row * kPanelRows + 8);
  }
  if constexpr (kGroup == 0) {
    int8_sums<kRows>(t, totals);
  } else {
    int4_sums<kGroup, kRows>(t, totals);
  }
  WEFT_UNROLL
  for (int row = 0; row < kRows; ++row) {
    _mm256_storeu_ps(t.sums + row * kPanelRows, totals[row][0]);
    _mm256_storeu_ps(t.sums + row * kPanelRows + 8, totals[row][1]);
  }
}

// Four rows' sums, two vectors each, are what the registers hold beside the weights.
template <std::int64_t kGroup>
void integer_tiles(const TileArguments& t) {
  switch (t.rows) {
    case 1:
      return integer_tile<kGroup, 1>(t);
    case 2:
      return integer_tile<kGroup, 2>(t);
    case 3:
      return integer_tile<kGroup, 3>(t);
    default:
      return integer_tile<kGroup, 4>(t);
  }
}

// One column's weights of a panel, [16], times its activation.
template <int kRows>
WEFT_INLINE void add_column(__m256 (&sums)[kRows][2], __m256 w0, __m256 w1, const float* x, std::int64_t stride) {
  WEFT_UNROLL
  for (int row = 0; row < kRows; ++row) {
    const __m256 one = _mm256_broadcast_ss(x + row * stride);
    __asm__("vfmadd231ps %[w], %[x], %[sum]" : [sum] "+x"(sums[row][0]) : [w] "x"(w0), [x] "x"(one));
    __asm__("vfmadd231ps %[w], %[x], %[sum]" : [sum] "+x"(sums[row][1]) : [w] "x"(w1), [x] "x"(one));
  }
}

template <bool kBFloat16, int kRows>
void float_tile(const TileArguments& t) {
  const auto* const x = reinterpret_cast<const float*>(t.x);
  const std::int64_t stride = t.x_stride_bytes / 4;
  __m256 sums[kRows][2];
  WEFT_UNROLL
  for (int row = 0; row < kRows; ++row) {
    sums[row][0] = _mm256_loadu_ps(t.sums + row * kPanelRows);
    sums[row][1] = _mm256_loadu_ps(t.sums + row * kPanelRows + 8);
  }
  for (std::int64_t k = 0; k < t.blocks * kBlockColumns; k += 2) {
    prefetch(t.weights + k * (kBFloat16 ? 32 : 64));
    if constexpr (kBFloat16) {
      const __m256i odd = _mm256_set1_epi32(static_cast<int>(0xffff0000U));
      const __m256i p0 = load(t.weights + k * 32), p1 = load(t.weights + k * 32 + 32);
      add_column<kRows>(sums, _mm256_castsi256_ps(_mm256_slli_epi32(p0, 16)),
                        _mm256_castsi256_ps(_mm256_slli_epi32(p1, 16)), x + k, stride);
      add_column<kRows>(sums, _mm256_castsi256_ps(_mm256_and_si256(p0, odd)),
                        _mm256_castsi256_ps(_mm256_and_si256(p1, odd)), x + k + 1, stride);
    } else {
      const auto* const w = reinterpret_cast<const float*>(t.weights) + k * kPanelRows;
      prefetch(t.weights + k * 64 + 64);
      add_column<kRows>(sums, _mm256_load_ps(w), _mm256_load_ps(w + 8), x + k, stride);
      add_column<kRows>(sums, _mm256_load_ps(w + 16), _mm256_load_ps(w + 24), x + k + 1, stride);
    }
  }
  WEFT_UNROLL
  for (int row = 0; row < kRows; ++row) {
    _mm256_storeu_ps(t.sums + row * kPanelRows, sums[row][0]);
    _mm256_storeu_ps(t.sums + row * kPanelRows + 8, sums[row][1]);
  }
}

template <bool kBFloat16>
void float_tiles(const TileArguments& t) {
  switch (t.rows) {
    case 1:
      return float_tile<kBFloat16, 1>(t);
    case 2:
      return float_tile<kBFloat16, 2>(t);
    case 3:
      return float_tile<kBFloat16, 3>(t);
    case 4:
      return float_tile<kBFloat16, 4>(t);
    case 5:
      return float_tile<kBFloat16, 5>(t);
    default:
      return float_tile<kBFloat16, 6>(t);
  }
}

// 32 numbers, rounded: bytes in their order.
WEFT_INLINE __m256i round_to_bytes(const float* x, __m256 factor) {
  __m256i four[4];
  for (int i = 0; i < 4; ++i) four[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i * 8), factor));
  const __m256i low = _mm256_packs_epi32(four[0], four[1]), high = _mm256_packs_epi32(four[2], four[3]);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// The same pairs of 16 bits in every 32, added.
WEFT_INLINE std::int32_t sum_pairs(__m256i pairs) {
  __m128i sum = _mm_add_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  sum = _mm_add_epi16(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi16(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

template <int kGroup>
WEFT_INLINE void quantize_group(const float* x, std::byte* q, float& scale, std::int32_t& correction) {
  // Without their sign, floats order as their bits do, NaN above infinity above all else.
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i most = _mm256_setzero_si256();
  for (int i = 0; i < kGroup; i += 8) {
    most = _mm256_max_epu32(most, _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x + i)), magnitude));
  }
  __m128i four = _mm_max_epu32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4e));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xb1));
  const float maximum = _mm_cvtss_f32(_mm_castsi128_ps(four));
  const bool finite = _mm_cvtsi128_si32(four) < 0x7f800000;
  const bool used = finite && maximum >= kSmallestMaximum;
  scale = finite ? (used ? maximum / 127.0F : 0.0F) : __builtin_nanf("");
  const __m256 factor = _mm256_set1_ps(127.0F / maximum);
  __m256i pairs = _mm256_setzero_si256();
  for (int i = 0; i < kGroup; i += 32) {
    const __m256i bytes = used ? round_to_bytes(x + i, factor) : _mm256_setzero_si256();
    _mm256_store_si256(reinterpret_cast<__m256i*>(q + i), bytes);
    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes));
  }
  correction = sum_pairs(_mm256_mullo_epi16(pairs, _mm256_set1_epi16(-8)));
}

template <int kGroup>
void quantize_groups(const ActivationRow& row) {
  auto* const q = static_cast<std::byte*>(row.out);
  for (std::int64_t at = 0, g = 0; at < row.padded; at += kGroup, ++g) {
    if (at + kGroup <= row.columns) {
      quantize_group<kGroup>(row.x + at, q + at, row.scales[g], row.corrections[g]);
    } else {
      float rest[kGroup] = {};
      for (std::int64_t i = at; i < row.columns; ++i) rest[i - at] = row.x[i];
      quantize_group<kGroup>(rest, q + at, row.scales[g], row.corrections[g]);
    }
  }
}

void quantize(const ActivationRow& row) {
  if (row.group == 32) return quantize_groups<32>(row);
  quantize_groups<64>(row);
}

template <auto kTile>
FormatKernels integer_kernels() {
  const LinearKernel kernel{.prepare = quantize, .tile = kTile, .tile_rows = 4};
  return {.few = kernel, .many = kernel};
}

}  // namespace

void use_avx2(LinearKernels& kernels) {
  kernels.int8 = integer_kernels<integer_tiles<0>>();
  kernels.int4[0] = integer_kernels<integer_tiles<32>>();
  kernels.int4[1] = integer_kernels<integer_tiles<64>>();
  kernels.int4[2] = integer_kernels<integer_tiles<128>>();
  for (LinearKernel* const kernel : {&kernels.float32.few, &kernels.float32.many}) {
    kernel->tile = float_tiles<false>;
    kernel->tile_rows = 6;
  }
  for (LinearKernel* const kernel : {&kernels.bfloat16.few, &kernels.bfloat16.many}) {
    kernel->tile = float_tiles<true>;
    kernel->tile_rows = 6;
  }
}

}  // namespace weft::model
