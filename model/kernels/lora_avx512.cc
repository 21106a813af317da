// The adapters' kernels for AVX512. Compiled for it.
#include "model/kernels/lora_tile.h"
#include "model/kernels/vector_avx512.h"

namespace weft::model {

LoraKernels avx512_lora_kernels() { return LoraTiles<Avx512Vector>::kernels(); }

}  // namespace weft::model
