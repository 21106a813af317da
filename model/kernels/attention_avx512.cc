// The attention kernels for AVX512. Compiled for it.
#include "model/kernels/attention_tile.h"
#include "model/kernels/vector_avx512.h"

namespace weft::model {

AttentionKernels avx512_attention_kernels() { return AttentionTile<Avx512Vector>::kernels(); }

}  // namespace weft::model
