#include "model/kernels/linear_kernels.h"
namespace weft::model {
void use_avx512(LinearKernels&) {}
}  // namespace weft::model
