#include "model/ceilings.h"

#include "model/kernels/probe.h"
#include "model/layers/weights.h"

namespace weft::model {

Expected<Ceilings> measure_ceilings(int threads, double seconds) {
  const auto cpu = serving_cpu(threads);
  if (!cpu) return cpu.error();
  return Ceilings{probe_read_bytes_per_second(**cpu, seconds), probe_float32_ops_per_second(**cpu, seconds),
                  probe_int8_ops_per_second(**cpu, seconds)};
}

}  // namespace weft::model
