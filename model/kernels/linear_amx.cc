// The linear kernels for AMX. Compiled for it.
#include "model/kernels/amx_tile.h"
#include "model/kernels/linear_amx_tile.h"
#include "model/kernels/vnni_vector_avx512.h"

namespace weft::model {
namespace {

struct TileVector : VnniVector {};  // its own type: see linear_avx512bf16.cc

}  // namespace

void use_amx(LinearKernels& kernels) { AmxLinear<AmxTile, TileVector>::use(kernels); }

}  // namespace weft::model
