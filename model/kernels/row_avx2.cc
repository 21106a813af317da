// The row kernels for AVX2. Compiled for it.
#include "model/kernels/gradient_tile.h"
#include "model/kernels/row_tile.h"
#include "model/kernels/vector_avx2.h"

namespace weft::model {

RowKernels avx2_row_kernels() { return RowTile<Avx2Vector>::kernels(); }
GradientKernels avx2_gradient_kernels() { return GradientTile<Avx2Vector>::kernels(); }

}  // namespace weft::model
