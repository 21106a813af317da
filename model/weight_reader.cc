#include "model/weight_reader.h"

#include <fmt/ranges.h>

#include "model/tensor_file.h"

namespace weft::model {
namespace {

// What was saved as the body of a model lacks the first part of the names: "h.0…" in place of "transformer.h.0…".
Expected<TensorView> find_stored(const Checkpoint& checkpoint, const std::string& name) {
  auto view = checkpoint.find(name);
  if (view) return view;
  const std::size_t point = name.find('.');
  if (point == std::string::npos || (!name.starts_with("transformer.") && !name.starts_with("model."))) return view;
  auto body = checkpoint.find(std::string_view(name).substr(point + 1));
  return body ? body : view;
}

}  // namespace

Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, const ShardSlice& slice,
                                 at::ScalarType dtype) {
  const Expected<TensorView> view = find_stored(checkpoint, spec.tensor);
  if (!view) return view.error();
  if (view->shape != spec.stored_shape()) {
    return make_error("weight {} has shape [{}], config.json asks for [{}]", spec.tensor, fmt::join(view->shape, ", "),
                      fmt::join(spec.stored_shape(), ", "));
  }
  if (view->dtype == Dtype::kI64) return make_error("weight {} is of dtype I64, not a floating-point one", spec.tensor);
  const at::Tensor stored = to_tensor(*view, spec.stored(slice)).to(dtype);
  return spec.transposed ? stored.t().contiguous() : stored;
}

Expected<at::Tensor> read_weight(const Checkpoint& checkpoint, const WeightSpec& spec, at::ScalarType dtype) {
  return read_weight(checkpoint, spec, {.dimension = 0, .begin = 0, .length = spec.shape.front()}, dtype);
}

}  // namespace weft::model
