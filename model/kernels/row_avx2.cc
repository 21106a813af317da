// The row kernels for AVX2. Compiled for it.
#include "model/kernels/gradient_tile.h"
#include "model/kernels/vector_avx2.h"

namespace weft::model {

RowKernels avx2_row_kernels() { return row_kernels_of<Avx2Vector>(); }

}  // namespace weft::model
