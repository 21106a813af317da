// Stored numbers to fp32. Pure.
//
// The block formats are those of GGUF files; what each block holds is in the source. Their values agree with the
// arithmetic of the gguf package of Python.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/weights/tensor_view.h"

namespace weft::model {

// `values` consecutive numbers of `dtype`, which is one of weights; whole blocks. `from` need not be aligned.
void to_floats(Dtype dtype, const std::byte* from, std::int64_t values, float* out);

}  // namespace weft::model
