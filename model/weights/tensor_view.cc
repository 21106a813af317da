#include "model/weights/tensor_view.h"

#include <algorithm>
#include <array>

#include "model/base/check.h"

namespace weft::model {
namespace {

constexpr std::array kTraits{
    DtypeTraits{Dtype::kF32, "F32", 1, 4, true},       DtypeTraits{Dtype::kBf16, "BF16", 1, 2, true},
    DtypeTraits{Dtype::kF16, "F16", 1, 2, true},       DtypeTraits{Dtype::kI64, "I64", 1, 8, false},
    DtypeTraits{Dtype::kI32, "I32", 1, 4, false},      DtypeTraits{Dtype::kI8, "I8", 1, 1, false},
    DtypeTraits{Dtype::kU8, "U8", 1, 1, false},        DtypeTraits{Dtype::kQ8_0, "Q8_0", 32, 34, true},
    DtypeTraits{Dtype::kQ4_0, "Q4_0", 32, 18, true},   DtypeTraits{Dtype::kQ4_1, "Q4_1", 32, 20, true},
    DtypeTraits{Dtype::kQ5_0, "Q5_0", 32, 22, true},   DtypeTraits{Dtype::kQ5_1, "Q5_1", 32, 24, true},
    DtypeTraits{Dtype::kQ4_K, "Q4_K", 256, 144, true}, DtypeTraits{Dtype::kQ5_K, "Q5_K", 256, 176, true},
    DtypeTraits{Dtype::kQ6_K, "Q6_K", 256, 210, true}};

}  // namespace

const DtypeTraits& traits(Dtype dtype) {
  const auto row = std::ranges::find(kTraits, dtype, &DtypeTraits::dtype);
  WEFT_CHECK(row != kTraits.end());
  return *row;
}

std::string_view dtype_name(Dtype dtype) { return traits(dtype).name; }

std::optional<Dtype> find_dtype(std::string_view name) {
  const auto row = std::ranges::find(kTraits, name, &DtypeTraits::name);
  if (row == kTraits.end()) return std::nullopt;
  return row->dtype;
}

std::string known_dtypes() {
  std::string out;
  for (const DtypeTraits& row : kTraits) {
    if (row.block_values == 1) out.append(out.empty() ? "" : ", ").append(row.name);
  }
  return out;
}

std::optional<std::uint64_t> byte_count(Dtype dtype, std::span<const std::int64_t> shape) {
  const DtypeTraits& row = traits(dtype);
  const std::int64_t last = shape.empty() ? 1 : shape.back();
  if (last % row.block_values != 0) return std::nullopt;
  // A side of 0 does not hide others whose product is absurd.
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t side : shape) {
    empty = empty || side == 0;
    if (side < 0 || __builtin_mul_overflow(count, std::max(side, std::int64_t{1}), &count)) return std::nullopt;
  }
  if (empty) return 0;
  if (__builtin_mul_overflow(count / row.block_values, row.block_bytes, &count)) return std::nullopt;
  return static_cast<std::uint64_t>(count);
}

}  // namespace weft::model
