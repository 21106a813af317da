// The row kernels for AVX512. Compiled for it.
#include "model/kernels/gradient_tile.h"
#include "model/kernels/vector_avx512.h"

namespace weft::model {

RowKernels avx512_row_kernels() { return row_kernels_of<Avx512Vector>(); }

}  // namespace weft::model
