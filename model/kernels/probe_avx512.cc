#include "model/kernels/probe_loops.h"
namespace weft::model {
void use_avx512(ProbeLoops&) {}
}  // namespace weft::model
