// Makes weft's own quantised checkpoint of one in safetensors: each linear's weight as find_quantized.h says,
// config.json with "weft_quantization": {"bits", "group_size"}, the tokenizer's files, everything else as it is but
// matrices of fp32, which become bf16. An untied head is int8 in both. Embeddings, norms and the routers of experts
// stay.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/base/cancel.h"
#include "model/base/expected.h"
#include "model/weights/find_quantized.h"

namespace weft::model {

struct QuantizeOptions {
  std::string from;  // a model's folder
  std::string to;    // a folder that is not there yet
  QuantizedFormat format;
  int threads = 1;
};

struct QuantizeReport {
  std::size_t quantized = 0, kept = 0;  // tensors
  std::uint64_t bytes_before = 0, bytes_after = 0;
};

// `fraction` of the bytes, and the tensor that is at work.
using QuantizeProgress = std::function<void(double fraction, std::string_view tensor)>;

// `to` appears when it is whole; until then it is a temporary folder beside it, which goes when this ends in an error.
// Errors: what is there already; a GGUF file; what is quantised already; no room; NaN or infinity, by tensor and row;
// "interrupted".
Expected<QuantizeReport> quantize_checkpoint(const QuantizeOptions& options, const QuantizeProgress& progress,
                                             const CancelFlag& cancel);

}  // namespace weft::model
