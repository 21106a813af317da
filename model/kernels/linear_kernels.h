// What the driver of PackedMatrix::multiply asks of an instruction set: tables of functions on raw memory. Pure.
//
// A weight lies in panels of 16 rows, so that a vector's lanes are output features and nothing is summed across lanes;
// a panel lies in blocks of 64 columns, one after the other:
//   int8      [16 quads of columns][16 rows][4]             1024 bytes: two AVX2 vectors, an AVX512 vector, a row of a
//   tile int4      [8 octets of columns][16 rows][4]             512 bytes; low halves are the octet's first four
//   columns, high
//                                                           halves the rest, each q + 8
//   bfloat16  [32 pairs of columns][16 rows][2]             2048 bytes
//   float32   [64 columns][16 rows]                         4096 bytes
// Rows and columns past the matrix's own are zero.
//
// The numbers. int8 and int4 multiply activations that are quantised as they come: a row's group of 64 columns (32
// where int4's group is 32) has one scale s = max|x| / 127 and q = round(x * (127 / max|x|)), halves to even; a group
// below kSmallestMaximum is zero; one that holds NaN or infinity has s = NaN. With d the exact integer product of a
// group, and a = +0 at first, groups in order:
//   int8  a = fma(float(d), s, a);                           y = a * weight_scale [+ bias]
//   int4  a = fma(float(d), float(s * weight_scale), a);     y = a [+ bias]
// each operation rounded to fp32. Hence the same bits from every instruction set, however many rows come together and
// whatever thread does which. bfloat16 and float32 are sums in the order of columns, fma by fma, the same bits for any
// number of rows and threads, but an instruction set that multiplies bfloat16 rounds activations to it and adds in
// pairs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/kernels/cpu_isa.h"
#include "model/weights/quantized.h"

namespace weft::model {

constexpr std::int64_t kPanelRows = 16;
constexpr std::int64_t kBlockColumns = 64;
constexpr float kSmallestMaximum = 1e-30F;

// One row of activations, as a tile function reads it. `columns` of the row are real, the rest up to `padded` are made
// zero.
struct ActivationRow {
  const float* x;
  std::int64_t columns, padded;  // padded: a multiple of 64
  void* out;                     // [padded] int8, bfloat16 or float
  // Of int8, an entry a group:
  std::int64_t group;  // 64 or 32
  float* scales;
  std::int32_t* corrections;  // two int16: minus 8 times the sum of q at columns 0 and 1 of each four, and at 2 and 3
};

// Up to LinearKernel::tile_rows rows of activations by one panel, over some blocks of columns.
struct TileArguments {
  const std::byte* x;  // at the first block
  std::int64_t x_stride_bytes;
  const float* x_scales;  // [rows, scale_stride], at the first block
  const std::int32_t* x_corrections;
  std::int64_t scale_stride;
  const std::byte* weights;            // at the first block
  const std::uint16_t* weight_scales;  // int4: fp16 [groups][16 rows], at the first block, which begins a group
  std::int64_t blocks;
  std::int64_t rows;
  float* sums;  // [rows][16], added to
};

enum class ActivationFormat { kFloat32, kBFloat16, kInt8 };

struct LinearKernel {
  void (*prepare)(const ActivationRow&) = nullptr;
  void (*tile)(const TileArguments&) = nullptr;
  ActivationFormat activations = ActivationFormat::kInt8;
  std::int64_t tile_rows = 1;
  // A tile reads whole groups of this many rows of x, of which those past the last are zero; `rows` counts the real
  // ones.
  std::int64_t row_multiple = 1;
  // Around a thread's tiles, where the instruction set has state to set up.
  void (*enter)() = nullptr;
  void (*leave)() = nullptr;
};

// One weight format's kernels. `many` serves from many_rows rows on.
struct FormatKernels {
  LinearKernel few, many;
  std::int64_t many_rows = 0;
  [[nodiscard]] const LinearKernel& of(std::int64_t rows) const { return rows >= many_rows ? many : few; }
};

struct LinearKernels {
  FormatKernels float32, bfloat16, int8;
  FormatKernels int4[3];  // groups of 32, 64, 128

  [[nodiscard]] const FormatKernels& of(WeightFormat format, std::int64_t group) const {
    switch (format) {
      case WeightFormat::kFloat32:
        return float32;
      case WeightFormat::kBFloat16:
        return bfloat16;
      case WeightFormat::kInt8:
        return int8;
      case WeightFormat::kInt4:
        break;
    }
    return int4[group == 32 ? 0 : group == 64 ? 1 : 2];
  }
};

// Of an instruction set that this machine has. Entries that it does no better than a lower one are the lower one's.
const LinearKernels& linear_kernels(Isa isa);

// What linear_kernels puts together. Each in a file of its own, compiled for its instruction set.
LinearKernels reference_linear_kernels();
#if defined(__x86_64__)
void use_avx2(LinearKernels& kernels);
void use_avx512(LinearKernels& kernels);
void use_avx512_bf16(LinearKernels& kernels);
void use_amx(LinearKernels& kernels);
#endif

}  // namespace weft::model
