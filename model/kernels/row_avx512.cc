// The row kernels for AVX512. Compiled for it.
#include "model/kernels/gradient_tile.h"
#include "model/kernels/row_tile.h"
#include "model/kernels/vector_avx512.h"

namespace weft::model {

RowKernels avx512_row_kernels() { return RowTile<Avx512Vector>::kernels(); }
GradientKernels avx512_gradient_kernels() { return GradientTile<Avx512Vector>::kernels(); }

}  // namespace weft::model
