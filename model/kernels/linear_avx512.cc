// The linear kernels for AVX512 with VNNI. Compiled for it.
#include "model/kernels/linear_vnni_tile.h"
#include "model/kernels/vnni_vector_avx512.h"

namespace weft::model {

void use_avx512(LinearKernels& kernels) { use_vnni<VnniVector>(kernels); }

}  // namespace weft::model
