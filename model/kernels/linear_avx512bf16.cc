// bfloat16 products for AVX512-BF16. Compiled for it.
#include "model/kernels/linear_vnni_tile.h"
#include "model/kernels/vnni_vector_avx512.h"

namespace weft::model {
namespace {

// Its own type: the other file's functions are compiled without the instruction.
struct BFloat16Vector : VnniVector {};

void round_row(const ActivationRow& row) {
  auto* const out = static_cast<std::uint16_t*>(row.out);
  for (std::int64_t at = 0; at < row.padded; at += 16) {
    const std::int64_t left = row.columns - at;
    const auto real = static_cast<__mmask16>(left >= 16 ? 0xffff : left <= 0 ? 0 : (1 << left) - 1);
    const __m512 x = _mm512_maskz_loadu_ps(real, row.x + (left > 0 ? at : 0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
  }
}

}  // namespace

void use_avx512_bf16(LinearKernels& kernels) { use_bfloat16_pairs<BFloat16Vector>(kernels, round_row); }

}  // namespace weft::model
