#include "model/kernels/linear_kernels.h"
namespace weft::model {
void use_avx512_bf16(LinearKernels&) {}
}  // namespace weft::model
