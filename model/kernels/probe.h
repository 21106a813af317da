// Probes: what this machine can do at this moment, as denominators for measurements. Each runs for about `seconds` on
// the workers it is given and returns the best of its repetitions; run it beside what it is compared with, since other
// programs on the machine slow both.
#pragma once

#include "model/kernels/workers.h"

namespace weft::model {

double probe_read_bytes_per_second(const Cpu& cpu, double seconds);  // memory, far larger than the caches

// Multiplications with their additions a second, counted as two operations, in a loop whose numbers stay in registers
// and the nearest cache, of the instructions that the kernels of this instruction set multiply with.
double probe_float32_ops_per_second(const Cpu& cpu, double seconds);
double probe_int8_ops_per_second(const Cpu& cpu, double seconds);
double probe_int4_ops_per_second(const Cpu& cpu, double seconds);

}  // namespace weft::model
