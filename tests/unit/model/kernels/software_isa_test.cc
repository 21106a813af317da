// The VNNI and AMX kernels over vectors and tiles in software, against the reference: what a machine without them can
// know of them. The wider vector of attention and of the row kernels likewise.
#include "tests/unit/model/kernels/software_isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/kernels/attention_tile.h"
#include "model/kernels/gradient_tile.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

LinearKernels vnni() {
  LinearKernels kernels = linear_kernels(Isa::kReference);
  use_vnni<SoftwareVector>(kernels);
  return kernels;
}

LinearKernels amx() {
  LinearKernels kernels = vnni();
  use_bfloat16_pairs<SoftwareVector>(kernels, round_row_in_software);
  AmxLinear<SoftwareTile, SoftwareVector>::use(kernels);
  return kernels;
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

const std::vector<MatrixShape> kExactShapes = {
    {WeightFormat::kInt8, 37, 130},     {WeightFormat::kInt8, 5, 1100},      {WeightFormat::kInt4, 37, 133, 32},
    {WeightFormat::kInt4, 20, 331, 64}, {WeightFormat::kInt4, 21, 331, 128}, {WeightFormat::kInt4, 3, 1300, 128},
};

void expect_same_bits(const LinearKernels& kernels, const MatrixShape& shape) {
  SerialWorkers workers;
  const PackedMatrix matrix = pack(shape, 1);
  for (const std::int64_t count : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65}) {
    std::vector<float> x = random_floats(static_cast<std::size_t>(count * shape.columns), 2, 3.0F);
    std::fill_n(x.begin(), std::min<std::int64_t>(70, shape.columns), 0.0F);
    EXPECT_EQ(bits(multiply(matrix, kernels, workers, x)),
              bits(multiply(matrix, linear_kernels(Isa::kReference), workers, x)))
        << count << " rows, format " << static_cast<int>(shape.format) << ", group " << shape.group;
  }
}

TEST(SoftwareIsa, VnniGivesTheBitsOfTheReference) {
  for (const MatrixShape& shape : kExactShapes) expect_same_bits(vnni(), shape);
  expect_same_bits(vnni(), {WeightFormat::kFloat32, 19, 77});
  expect_same_bits(vnni(), {WeightFormat::kBFloat16, 35, 131});
}

TEST(SoftwareIsa, AmxGivesTheBitsOfTheReference) {
  for (const MatrixShape& shape : kExactShapes) expect_same_bits(amx(), shape);
  EXPECT_EQ(SoftwareTile::configured, 0);  // whoever configures tiles gives them back
}

TEST(SoftwareIsa, ProductsOfBfloat16AreThoseOfRoundedActivations) {
  SerialWorkers workers;
  LinearKernels pairs = vnni();
  use_bfloat16_pairs<SoftwareVector>(pairs, round_row_in_software);
  const MatrixShape shape{WeightFormat::kBFloat16, 35, 131};
  const PackedMatrix matrix = pack(shape, 3);
  for (const LinearKernels& kernels : {pairs, amx()}) {
    for (const std::int64_t count : {1, 5, 17, 40}) {
      std::vector<float> x = random_floats(static_cast<std::size_t>(count * shape.columns), 4);
      const std::vector<float> y = multiply(matrix, kernels, workers, x);
      for (float& value : x) value = to_float(to_bf16(value));
      const std::vector<float> expected = multiply(matrix, linear_kernels(Isa::kReference), workers, x);
      for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 2e-5) << count << " rows";
      // No row depends on those beside it.
      const std::vector<float> last(x.end() - shape.columns, x.end());
      EXPECT_EQ(bits(multiply(matrix, kernels, workers, last)), bits({y.end() - shape.rows, y.end()}));
    }
  }
}

// A vector of 16 in the place of AVX512's must give what one of 8 gives, up to the order of sums.
TEST(SoftwareIsa, WiderVectorsGiveTheSameAttention) {
  const std::int64_t dim = 40, tokens = 70;
  std::vector<float> k = random_floats(static_cast<std::size_t>(tokens * dim), 1), v = random_floats(k.size(), 2);
  const std::vector<float> q = random_floats(static_cast<std::size_t>(3 * 4 * dim), 3);
  void* const keys[] = {k.data()};
  void* const values[] = {v.data()};
  const SequenceBlocks sequence{.past = tokens - 3, .tokens = 3, .keys = keys, .values = values};
  const AttentionTask task{.layout = {KvFormat::kFloat32, 1, dim, tokens},
                           .sequence = &sequence,
                           .head = 0,
                           .group = 4,
                           .first = 0,
                           .end = 3,
                           .scale = 0.2F,
                           .window = 60,
                           .q = q.data(),
                           .q_stride = 4 * dim};
  const auto run = [&](const AttentionKernels& kernels) {
    std::vector<float> scratch(static_cast<std::size_t>(attention_scratch_floats(task))), maximum(12), sum(12);
    std::vector<float> weighed(static_cast<std::size_t>(12 * task.padded_dim())), out(q.size());
    const SoftmaxPart part{.maximum = maximum.data(), .sum = sum.data(), .values = weighed.data()};
    kernels.span(task, 0, part, scratch.data());
    kernels.finish(task, part, out.data(), 4 * dim);
    return out;
  };
  const std::vector<float> narrow = run(AttentionTile<PortableVector<8>>::kernels());
  const std::vector<float> wide = run(AttentionTile<PortableVector<16>>::kernels());
  for (std::size_t i = 0; i < narrow.size(); ++i) EXPECT_NEAR(wide[i], narrow[i], 1e-6);
}

TEST(SoftwareIsa, WiderVectorsGiveTheSameRows) {
  std::vector<float> x = random_floats(101, 1), up = random_floats(101, 2), narrow(101), wide(101);
  const RowKernels a = row_kernels_of<PortableVector<8>>(), b = row_kernels_of<PortableVector<16>>();
  const auto expect_same = [&] {
    for (std::size_t i = 0; i < narrow.size(); ++i) EXPECT_NEAR(wide[i], narrow[i], 1e-5);
  };
  a.rms_norm(x.data(), nullptr, up.data(), 101, 1e-5F, 0, narrow.data());
  b.rms_norm(x.data(), nullptr, up.data(), 101, 1e-5F, 0, wide.data());
  expect_same();
  a.layer_norm(x.data(), nullptr, up.data(), nullptr, 101, 1e-5F, narrow.data());
  b.layer_norm(x.data(), nullptr, up.data(), nullptr, 101, 1e-5F, wide.data());
  expect_same();
  a.silu(x.data(), up.data(), 101, narrow.data());
  b.silu(x.data(), up.data(), 101, wide.data());
  expect_same();
}

}  // namespace
}  // namespace weft::model
