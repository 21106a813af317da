// What a model is bound to: tensors for LibTorch, and linears packed for the processor's own kernels. Compute thread,
// or the loading one.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "model/base/expected.h"
#include "model/config/weight_specs.h"
#include "model/kernels/packed_matrix.h"
#include "model/parallel/communicator.h"

namespace weft::model {

// Gives the rank's own slice of a weight (the whole one when the group is solo).
using WeightLookup = std::function<Expected<at::Tensor>(const WeightSpec&)>;

// Serving on a processor: linears go through `cpu`'s kernels, and so do the small operations between them, in fp32.
struct Packing {
  // The rank's own slices of weights that read the same input, one below the other.
  std::function<Expected<PackedMatrix>(std::span<const WeightSpec> parts)> pack;
  const Cpu* cpu;
};

// A weight among those of a packed matrix.
struct PackedPart {
  std::shared_ptr<const PackedMatrix> matrix;
  std::int64_t features;  // its own rows
};

struct Weights {
  std::unordered_map<std::string, at::Tensor> tensors;  // by WeightSpec::name
  std::unordered_map<std::string, PackedPart> packed;   // by the same
  const Cpu* cpu = nullptr;                             // null: LibTorch computes

  // Undefined: it is packed. Null: it is not.
  [[nodiscard]] at::Tensor tensor(const std::string& name) const;
  [[nodiscard]] std::shared_ptr<const PackedMatrix> matrix(const std::string& name) const;
  [[nodiscard]] std::int64_t features(const std::string& name) const;  // of the rank
};

// What the rank needs of a model's weights; `packing` may be null. Error: what the
// lookup says of the first that it cannot give.
Expected<Weights> look_up_weights(const ModelConfig& config, const WeightLookup& lookup, const Packing* packing,
                                  const Communicator& communicator);

// The processor with the kernels that it has and as many threads, the caller's own included; 0: one a core. Whoever
// asks for the same number shares them; they sleep where nobody computes. Valid until the process ends. Thread-safe.
// Error: WEFT_CPU_ISA asks for other kernels.
Expected<const Cpu*> serving_cpu(int threads);

}  // namespace weft::model
