// What adapters add to one linear's rows on the CPU, for all segments of a step at once: y += B (A x), each segment
// with its own A and B (Hu et al. 2021; segments as in Punica, Chen et al. 2023). First all segments shrink their rows
// to their ranks, then all expand them, so that threads share the work whether one adapter has many rows or many have
// one each.
//
// What is added to a row depends on that row and its factors, bit for bit: not on the rows beside it, on threads, nor
// on the instruction set. Sums are in fp32, fma by fma: A x in columns' order within blocks of 512 columns, the blocks'
// sums in their order; B's product is added to y in ranks' order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/packed_matrix.h"
#include "model/kernels/workers.h"

namespace weft::model {

// A matrix of fp32 somewhere in memory: row i begins at data + i * stride.
struct MatrixView {
  const float* data = nullptr;
  std::int64_t rows = 0, columns = 0, stride = 0;
};

// One linear's factors before they are packed: A [r, in], B [out, r]; the scaling is folded into B.
struct LoraMatrices {
  MatrixView a, b;
  double scaling = 1;
};

// The same as the kernel reads them, fp32, in memory that a PackedAdapter holds: A in panels of 16 ranks, [in][16]
// each, ranks past the last zero; B in panels of 16 outputs, [r][16] each, outputs past the last zero.
struct PackedFactors {
  std::int64_t rank = 0, in = 0, out = 0;
  const float* a = nullptr;
  const float* b = nullptr;
};

// An adapter's factors in one piece of memory, since many small ones are read slower than they must. Immutable; may be
// read by several threads.
class PackedAdapter {
 public:
  explicit PackedAdapter(std::span<const LoraMatrices> linears);  // one of no ranks stands for a linear without
  [[nodiscard]] const PackedFactors& of(std::size_t linear) const { return factors_[linear]; }
  [[nodiscard]] std::size_t bytes() const { return memory_.bytes(); }

 private:
  AlignedBuffer memory_;
  std::vector<PackedFactors> factors_;
};

// The rows of x and y that have one adapter, by number.
struct LoraSegment {
  PackedFactors factors;
  std::span<const std::int64_t> rows;
};

// y[i] += B A x[i] for the rows of each segment: x [n, in], y [n, out]. No row is in two segments; x and y do not
// overlap. One call at a time for a thread.
void add_lora(const Cpu& cpu, std::span<const LoraSegment> segments, InputRows x, OutputRows y);

}  // namespace weft::model
