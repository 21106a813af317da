// What this machine can do at this moment: the denominators of `weft bench model`. Free of torch. The calling thread,
// which needs to be the one that computes.
#pragma once

#include "model/base/expected.h"

namespace weft::model {

struct Ceilings {
  double read_bytes_per_s = 0;  // memory
  double fp32_ops_per_s = 0;    // multiplications and additions, each one
  double int8_ops_per_s = 0;    // of the instructions that the int8 kernels multiply with
};

// Each probe runs for about `seconds` on `threads` threads. Error: WEFT_CPU_ISA asks for what the machine lacks.
Expected<Ceilings> measure_ceilings(int threads, double seconds);

}  // namespace weft::model
