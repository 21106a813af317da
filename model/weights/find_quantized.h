// Weights as q * scale: how weft stores them in a safetensors file, and making them of a tensor's numbers. Pure.
//
// A linear's X.weight is I8 [out, in] with X.weight_scale F32 [out], or U8 [out, ceil(in / 2)] with X.weight_scale F16
// [out, groups]; both hold what QuantizedMatrix does; `in` is even.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/base/expected.h"
#include "model/weights/quantized.h"
#include "model/weights/read_rows.h"

namespace weft::model {

struct QuantizedFormat {
  WeightFormat format = WeightFormat::kInt8;  // kInt8 or kInt4
  std::int64_t group = 64;                    // int4: 32, 64 or 128
};

// A matrix by this name is a linear's, whose weight weft would quantise: no embedding, no norm, no router of experts.
[[nodiscard]] bool is_linear_weight(std::string_view name, const std::vector<std::int64_t>& shape);
[[nodiscard]] bool is_head_weight(std::string_view name);  // and the model's last; int8 is as far as it goes
std::string scale_name(std::string_view weight);           // "X.weight_scale"

// [rows, columns], rounded. The numbers are finite, at least one row of them.
QuantizedMatrix quantize_rows(std::span<const float> rows, std::int64_t columns, const QuantizedFormat& format);
// Part of a matrix, which is [out, in], rounded. Errors: what is no matrix of numbers; NaN or infinity, with the row; a
// slice that is not within.
Expected<QuantizedMatrix> quantize(const TensorView& view, const QuantizedFormat& format, const TensorSlice& slice);

// The numbers that it stands for; `out` has as many entries as the matrix columns.
void dequantize_row(const QuantizedMatrix& matrix, std::int64_t row, std::span<float> out);

}  // namespace weft::model
