// Quantised weights as files and loaders hold them, before a kernel packs them for a processor. Symmetric: a weight is
// q * scale. Pure.
//
// int8: q from -127 to 127, one fp32 scale an output row. int4: q from -8 to 7, one scale a group of `group`
// consecutive input features; the scale is a number that fp16 holds. A row's last group may be shorter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::model {

enum class WeightFormat { kFloat32, kBFloat16, kInt8, kInt4 };  // how a linear holds its weight
inline bool is_quantized(WeightFormat format) { return format == WeightFormat::kInt8 || format == WeightFormat::kInt4; }

// [rows, columns]: output features by input features.
struct QuantizedMatrix {
  WeightFormat format = WeightFormat::kInt8;  // kInt8 or kInt4
  std::int64_t rows = 0, columns = 0;
  std::int64_t group = 0;            // int4: 32, 64 or 128; int8: not used
  std::vector<std::uint8_t> values;  // int8: [rows, columns], two's complement. int4: [rows, ceil(columns / 2)], the
                                     // even column in the low four bits, q + 8
  std::vector<float> scales;         // int8: [rows]; int4: [rows, ceil(columns / group)]
};

// One row each. An all-zero row or group has scale 0. NaN or infinity is for the caller to refuse beforehand.
// `q` has as many entries as `row`.
float quantize_int8_row(std::span<const float> row, std::span<std::int8_t> q);
// `scales` has ceil(row / group) entries, `packed` ceil(row / 2).
void quantize_int4_row(std::span<const float> row, std::int64_t group, std::span<std::uint8_t> packed,
                       std::span<float> scales);

}  // namespace weft::model
