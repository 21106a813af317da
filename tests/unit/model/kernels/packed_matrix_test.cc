#include "model/kernels/packed_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "model/kernels/thread_pool.h"
#include "model/weights/half.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

const std::vector<MatrixShape> kShapes = {
    {WeightFormat::kInt8, 16, 64},        {WeightFormat::kInt8, 1, 1},        {WeightFormat::kInt8, 37, 130},
    {WeightFormat::kInt8, 17, 1100},      {WeightFormat::kInt4, 16, 64, 64},  {WeightFormat::kInt4, 3, 7, 32},
    {WeightFormat::kInt4, 37, 133, 32},   {WeightFormat::kInt4, 50, 331, 64}, {WeightFormat::kInt4, 21, 331, 128},
    {WeightFormat::kInt4, 17, 1100, 128}, {WeightFormat::kFloat32, 19, 77},   {WeightFormat::kBFloat16, 35, 131},
    {WeightFormat::kBFloat16, 16, 601},   {WeightFormat::kFloat32, 1, 1},
};
const std::vector<std::int64_t> kCounts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64, 65, 130};

bool integer(const MatrixShape& shape) {
  return shape.format == WeightFormat::kInt8 || shape.format == WeightFormat::kInt4;
}

std::string name(const MatrixShape& shape, std::int64_t count, Isa isa) {
  return fmt::format("format {} of {} x {}, group {}, {} tokens, {}", static_cast<int>(shape.format), shape.rows,
                     shape.columns, shape.group, count, isa_name(isa));
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

// What is told of the numbers, by a way that shares nothing with the kernels but the rows that read_row gives back.
TEST(PackedMatrix, MultipliesWhatItWasGiven) {
  SerialWorkers workers;
  for (const MatrixShape& shape : kShapes) {
    const PackedMatrix matrix = pack(shape, 1);
    const auto columns = static_cast<std::size_t>(shape.columns);
    const std::vector<float> x = random_floats(2 * columns, 2),
                             bias = random_floats(static_cast<std::size_t>(shape.rows), 3);
    for (const Isa isa : isas_up_to(detect_isa())) {
      const std::vector<float> y = multiply(matrix, linear_kernels(isa), workers, x, bias);
      std::vector<float> row(columns);
      for (std::int64_t r = 0; r < shape.rows; ++r) {
        matrix.read_row(r, row);
        for (std::size_t token = 0; token < 2; ++token) {
          double exact = bias[static_cast<std::size_t>(r)], size = 0;
          for (std::size_t c = 0; c < columns; ++c) {
            exact += double{row[c]} * x[token * columns + c];
            size += std::fabs(double{row[c]} * x[token * columns + c]);
          }
          const double rounding = integer(shape) ? 0.02 : isa >= Isa::kAvx512Bf16 ? 0.004 : 1e-6;
          EXPECT_NEAR(y[token * static_cast<std::size_t>(shape.rows) + static_cast<std::size_t>(r)], exact,
                      rounding * size + 1e-6)
              << name(shape, 2, isa) << ", row " << r;
        }
      }
    }
  }
}

TEST(PackedMatrix, EveryInstructionSetGivesTheSameBits) {
  SerialWorkers workers;
  for (const MatrixShape& shape : kShapes) {
    const PackedMatrix matrix = pack(shape, 4);
    for (const std::int64_t count : kCounts) {
      std::vector<float> x = random_floats(static_cast<std::size_t>(count * shape.columns), 5, 3.0F);
      std::fill_n(x.begin(), std::min<std::int64_t>(70, shape.columns), 0.0F);  // groups of nothing
      const auto expected = bits(multiply(matrix, linear_kernels(Isa::kReference), workers, x));
      for (const Isa isa : isas_up_to(detect_isa())) {
        if (shape.format == WeightFormat::kBFloat16 && isa >= Isa::kAvx512Bf16) continue;
        EXPECT_EQ(bits(multiply(matrix, linear_kernels(isa), workers, x)), expected) << name(shape, count, isa);
      }
    }
  }
}

TEST(PackedMatrix, ARowDoesNotDependOnTheRowsBesideItNorOnThreads) {
  SerialWorkers serial;
  ThreadPool two(2), three(3);
  for (const MatrixShape& shape : kShapes) {
    const PackedMatrix matrix = pack(shape, 6);
    const std::vector<float> x = random_floats(static_cast<std::size_t>(150 * shape.columns), 7);
    for (const Isa isa : isas_up_to(detect_isa())) {
      const auto all = bits(multiply(matrix, linear_kernels(isa), serial, x));
      EXPECT_EQ(bits(multiply(matrix, linear_kernels(isa), two, x)), all) << name(shape, 150, isa);
      EXPECT_EQ(bits(multiply(matrix, linear_kernels(isa), three, x)), all) << name(shape, 150, isa);
      const std::vector<float> last(x.end() - shape.columns, x.end());
      EXPECT_EQ(bits(multiply(matrix, linear_kernels(isa), two, last)),
                std::vector<std::uint32_t>(all.end() - shape.rows, all.end()))
          << name(shape, 1, isa);
    }
  }
}

TEST(PackedMatrix, TheLargestProductsDoNotOverflow) {
  SerialWorkers workers;
  for (const std::uint8_t q : {std::uint8_t{127}, std::uint8_t{129}}) {  // 127 and -127
    const MatrixShape shape{WeightFormat::kInt8, 16, 256};
    MatrixPacker packer = *MatrixPacker::start(shape);
    ASSERT_TRUE(packer.put(0, QuantizedMatrix{.rows = 16,
                                              .columns = 256,
                                              .values = std::vector<std::uint8_t>(16 * 256, q),
                                              .scales = std::vector<float>(16, 1.0F)}));
    const PackedMatrix matrix = *std::move(packer).finish();
    for (const float x : {127.0F, -127.0F}) {
      const float expected = static_cast<float>(static_cast<std::int8_t>(q)) * x * 256;
      for (const Isa isa : isas_up_to(detect_isa())) {
        EXPECT_THAT(multiply(matrix, linear_kernels(isa), workers, std::vector<float>(256, x)), Each(expected));
      }
    }
  }
  for (const std::uint8_t q : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {  // -8 and 7
    const MatrixShape shape{WeightFormat::kInt4, 16, 256, 128};
    MatrixPacker packer = *MatrixPacker::start(shape);
    ASSERT_TRUE(packer.put(0, QuantizedMatrix{.format = WeightFormat::kInt4,
                                              .rows = 16,
                                              .columns = 256,
                                              .group = 128,
                                              .values = std::vector<std::uint8_t>(16 * 128, q),
                                              .scales = std::vector<float>(32, 0.5F)}));
    const PackedMatrix matrix = *std::move(packer).finish();
    for (const float x : {127.0F, -127.0F}) {
      const float expected = static_cast<float>((q & 0xf) - 8) * x * 256 * 0.5F;
      for (const Isa isa : isas_up_to(detect_isa())) {
        EXPECT_THAT(multiply(matrix, linear_kernels(isa), workers, std::vector<float>(256, x)), Each(expected));
      }
    }
  }
}

TEST(PackedMatrix, ActivationsThatAreNoNumbersGiveNoNumbers) {
  SerialWorkers workers;
  const PackedMatrix matrix = pack({WeightFormat::kInt8, 20, 200}, 8);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = random_floats(400, 9);
    x[70] = bad;
    for (const Isa isa : isas_up_to(detect_isa())) {
      const std::vector<float> y = multiply(matrix, linear_kernels(isa), workers, x);
      for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(std::isnan(y[i])) << isa_name(isa);
      for (std::size_t i = 20; i < 40; ++i) EXPECT_TRUE(std::isfinite(y[i])) << isa_name(isa);
    }
  }
  for (const float tiny : {1e-38F, 1e-44F}) {
    for (const Isa isa : isas_up_to(detect_isa())) {
      EXPECT_THAT(multiply(matrix, linear_kernels(isa), workers, std::vector<float>(200, tiny)), Each(0.0F));
    }
  }
}

TEST(PackedMatrix, RowsOfActivationsMayLieApart) {
  SerialWorkers workers;
  const PackedMatrix matrix = pack({WeightFormat::kInt8, 20, 30}, 10);
  const std::vector<float> x = random_floats(3 * 50, 11);
  std::vector<float> y(3 * 33, 5.0F);
  matrix.multiply({.isa = detect_isa(), .workers = &workers}, {.data = x.data(), .rows = 3, .stride = 50},
                  {.data = y.data(), .stride = 33});
  for (std::size_t row = 0; row < 3; ++row) {
    const std::vector<float> one(x.begin() + static_cast<std::ptrdiff_t>(row * 50),
                                 x.begin() + static_cast<std::ptrdiff_t>(row * 50 + 30));
    const std::vector<float> expected = multiply(matrix, linear_kernels(detect_isa()), workers, one);
    const std::vector<float> got(y.begin() + static_cast<std::ptrdiff_t>(row * 33),
                                 y.begin() + static_cast<std::ptrdiff_t>(row * 33 + 20));
    EXPECT_EQ(got, expected);
    for (std::size_t i = 20; i < 33; ++i) EXPECT_EQ(y[row * 33 + i], 5.0F);  // what lies between is not touched
  }
  matrix.multiply({.isa = detect_isa(), .workers = &workers}, {.data = nullptr, .rows = 0, .stride = 30}, {});
}

TEST(MatrixPacker, RowsInPiecesMakeTheSameMatrix) {
  const MatrixShape shape{WeightFormat::kInt4, 21, 70, 32};
  const QuantizedMatrix whole = random_quantized(shape, 12);
  MatrixPacker packer = *MatrixPacker::start(shape);
  for (const std::int64_t row : {15, 0, 20, 5, 10}) {
    const std::int64_t rows = std::min<std::int64_t>(5, 21 - row);
    const auto part = [&](const auto& values, std::int64_t width) {
      return std::vector(values.begin() + row * width, values.begin() + (row + rows) * width);
    };
    ASSERT_TRUE(packer.put(row, QuantizedMatrix{.format = shape.format,
                                                .rows = rows,
                                                .columns = 70,
                                                .group = 32,
                                                .values = part(whole.values, 35),
                                                .scales = part(whole.scales, 3)}));
  }
  const PackedMatrix pieces = *std::move(packer).finish(), once = pack(shape, 12);
  std::vector<float> a(70), b(70);
  for (std::int64_t row = 0; row < 21; ++row) {
    pieces.read_row(row, a);
    once.read_row(row, b);
    EXPECT_EQ(a, b);
    for (std::int64_t c = 0; c < 70; ++c) {
      const int q = (whole.values[static_cast<std::size_t>(row * 35 + c / 2)] >> (c % 2 * 4) & 0xf) - 8;
      EXPECT_EQ(a[static_cast<std::size_t>(c)],
                static_cast<float>(q) * whole.scales[static_cast<std::size_t>(row * 3 + c / 32)]);
    }
  }
}

TEST(MatrixPacker, RefusesWhatDoesNotFit) {
  EXPECT_THAT(MatrixPacker::start({WeightFormat::kInt8, 0, 4}).error().message, HasSubstr("0 x 4"));
  EXPECT_THAT(MatrixPacker::start({WeightFormat::kInt4, 4, 4, 48}).error().message, HasSubstr("groups of 48"));
  MatrixPacker packer = *MatrixPacker::start({WeightFormat::kInt8, 2, 4});
  EXPECT_THAT(packer.put(0, random_quantized({WeightFormat::kInt8, 3, 4}, 1)).error().message,
              HasSubstr("3 rows from 0"));
  EXPECT_THAT(packer.put(0, random_quantized({WeightFormat::kInt8, 1, 5}, 1)).error().message, HasSubstr("5 columns"));
  EXPECT_THAT(packer.put(0, random_quantized({WeightFormat::kInt4, 1, 4, 32}, 1)).error().message, HasSubstr("format"));
  EXPECT_THAT(packer.put(0, std::vector<float>(4)).error().message, HasSubstr("fp32 rows"));
  QuantizedMatrix cut = random_quantized({WeightFormat::kInt8, 2, 4}, 1);
  cut.values.pop_back();
  EXPECT_THAT(packer.put(0, cut).error().message, HasSubstr("7 bytes"));
  for (const std::int64_t first : {-1, 2}) {
    EXPECT_FALSE(packer.put(first, random_quantized({WeightFormat::kInt8, 1, 4}, 1)));
  }
  ASSERT_TRUE(packer.put(1, random_quantized({WeightFormat::kInt8, 1, 4}, 1)));
  EXPECT_THAT(std::move(packer).finish().error().message, HasSubstr("has only 1"));

  MatrixPacker int4 = *MatrixPacker::start({WeightFormat::kInt4, 1, 4, 32});
  QuantizedMatrix fine = random_quantized({WeightFormat::kInt4, 1, 4, 32}, 1);
  fine.scales[0] = 0.1F;
  EXPECT_THAT(int4.put(0, fine).error().message, HasSubstr("no fp16 number"));
  MatrixPacker floats = *MatrixPacker::start({WeightFormat::kFloat32, 2, 3});
  EXPECT_THAT(floats.put(0, std::vector<float>(4)).error().message, HasSubstr("no whole rows"));
  EXPECT_THAT(floats.put(0, std::vector<float>(9)).error().message,
              HasSubstr("3 rows from 0 do not fit a matrix of 2"));
}

TEST(Numbers, EveryHalfComesBack) {
  for (int i = 0; i < 65536; ++i) {
    const auto half = static_cast<Half>(i);
    const float value = to_float(half);
    if (!std::isnan(value)) {
      ASSERT_EQ(to_half(value), half);
    }
  }
  EXPECT_EQ(to_float(Half{0x3c00}), 1.0F);
  EXPECT_EQ(to_float(Half{0x0001}), 0x1p-24F);
  EXPECT_EQ(to_bf16(1.00390625F), Bf16{0x3f80});  // half-way: to even
  EXPECT_EQ(to_bf16(1.01171875F), Bf16{0x3f82});
  EXPECT_TRUE(std::isnan(to_float(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace weft::model
