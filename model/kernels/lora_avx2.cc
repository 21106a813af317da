// The adapters' kernels for AVX2. Compiled for it.
#include "model/kernels/lora_tile.h"
#include "model/kernels/vector_avx2.h"

namespace weft::model {

LoraKernels avx2_lora_kernels() { return LoraTiles<Avx2Vector>::kernels(); }

}  // namespace weft::model
