// From a checkpoint's tensors to the weights that layers ask for. Any thread; torch's exceptions pass through.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "model/base/expected.h"
#include "model/config/weight_specs.h"
#include "model/kernels/packed_matrix.h"
#include "model/weights/checkpoint.h"

namespace weft::model {

// The name that the checkpoint has for a spec's tensor: what was saved as the body of a model lacks the first part,
// "h.0…" in place of "transformer.h.0…". Error: it is under neither.
Expected<std::string> stored_name(const Checkpoint& checkpoint, const std::string& tensor);

// A slice of a weight, as ShardPlan gives it, in `dtype`, fp32 or bf16; the rest is not read. Errors: it is missing, of
// another shape than config.json says, not of numbers with a fraction, or holds NaN or infinity.
Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, const ShardSlice& slice,
                                 at::ScalarType dtype);
// All of it.
Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, at::ScalarType dtype);

struct MatrixFormat {
  WeightFormat format = WeightFormat::kFloat32;
  std::int64_t group = 0;  // of int4
};

// That in which a packed weight loses nothing, or next to nothing: fp32 for F32, bf16 for the 16-bit floats, what is
// quantised as it is where weft has that, else int8.
Expected<MatrixFormat> stored_format(const Checkpoint& checkpoint, const WeightSpec& spec);

// The rank's slices of weights that read the same input, one below the other, some rows at a time: never held twice.
// `workers` share the work. int8 is rounded by the scale of a whole row, on every rank. Errors: as read_weight's.
Expected<PackedMatrix> pack_weights(const Checkpoint& checkpoint, std::span<const WeightSpec> parts,
                                    const ShardPlan& plan, Rank rank, const MatrixFormat& format, Workers& workers);

}  // namespace weft::model
