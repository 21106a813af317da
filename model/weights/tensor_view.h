// TensorView: one named tensor of a checkpoint as it lies in its file, and how its numbers are stored. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/mmap.h"

namespace weft::model {

// Those from kQ8_0 on are GGUF's: a row is made of blocks of values that share a scale.
enum class Dtype { kF32, kBf16, kF16, kI64, kI32, kI8, kU8, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K };

struct DtypeTraits {
  Dtype dtype;
  std::string_view name;      // "BF16", "Q4_K"
  std::int64_t block_values;  // 1: no blocks
  std::int64_t block_bytes;
  bool is_number;  // of weights: floating-point, or in blocks
};
const DtypeTraits& traits(Dtype dtype);
[[nodiscard]] std::string_view dtype_name(Dtype dtype);
// A safetensors file has those without blocks alone. Nothing: the name is not known.
std::optional<Dtype> find_dtype(std::string_view name);
// "F32, BF16, …", those without blocks.
std::string known_dtypes();
// Nothing: negative, more than 64 bits hold, or a row that is not of whole blocks.
std::optional<std::uint64_t> byte_count(Dtype dtype, std::span<const std::int64_t> shape);

// The tensor as Hugging Face has it (`shape`), and how the file differs from it. read_rows.h gives the numbers.
struct TensorView {
  Dtype dtype = Dtype::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;   // row-major, little-endian, as stored
  const MappedFile* file = nullptr;  // that `data` lies in; null: in memory of its own
  bool transposed = false;           // the file has [columns, rows], as GGUF has GPT-2's linears
  std::int64_t rotary_rows = 0;  // rows of a head, stored as rotary pairs (i, i + half) side by side; 0: as they are
  float offset = 0;              // to add to what is stored
};

struct NamedTensorView {
  std::string name;
  TensorView tensor;
};

}  // namespace weft::model
