// Between paged_attention.cc, which checks, and paged_attention.cu, which nvcc compiles: what the one calls of the
// other.
#pragma once

#include "model/kernels/cuda/paged_attention.h"

namespace weft::model::cuda {

inline constexpr int kSplitMultiple = 32;  // tokens that the kernel takes at once

// False where no kernel was compiled for the head size. The rest of `attention` has been checked.
bool launch_paged_attention(const PagedAttention& attention, void* stream);
const char* last_launch_error();  // null: none

}  // namespace weft::model::cuda
