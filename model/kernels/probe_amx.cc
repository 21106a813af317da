#include "model/kernels/probe_loops.h"
namespace weft::model {
void use_amx(ProbeLoops&) {}
}  // namespace weft::model
