// The attention kernels for AVX2. Compiled for it.
#include "model/kernels/attention_tile.h"
#include "model/kernels/vector_avx2.h"

namespace weft::model {

AttentionKernels avx2_attention_kernels() { return AttentionTile<Avx2Vector>::kernels(); }

}  // namespace weft::model
