#include "model/kernels/lora.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "model/kernels/thread_pool.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

constexpr float kUntouched = 7.0F;

// Rows with room after each, which nothing may write to.
struct Numbers {
  Numbers(std::int64_t row_count, std::int64_t width, std::int64_t room, unsigned seed)
      : rows(row_count), columns(width), stride(width + room), values(random_floats(size(row_count * stride), seed)) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::fill_n(values.begin() + row * stride + columns, room, kUntouched);
    }
  }
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
  [[nodiscard]] float at(std::int64_t row, std::int64_t column) const { return values[size(row * stride + column)]; }
  [[nodiscard]] MatrixView view() const { return {values.data(), rows, columns, stride}; }
  [[nodiscard]] InputRows input() const { return {values.data(), rows, stride}; }
  [[nodiscard]] OutputRows output() { return {values.data(), stride}; }

  std::int64_t rows, columns, stride;
  std::vector<float> values;
};

struct Adapter {
  Adapter(std::int64_t rank, std::int64_t in, std::int64_t out, unsigned seed)
      : a(rank, in, 3, seed),
        b(out, rank, 1, seed + 1),
        packed(std::vector<LoraMatrices>{{}, {a.view(), b.view(), kScaling}}) {}

  // What is added to output `out` of x's row, in double, and how large the numbers are that it is the sum of.
  struct Delta {
    double sum = 0, size = 0;
  };
  [[nodiscard]] Delta delta(const Numbers& x, std::int64_t row, std::int64_t out) const {
    Delta delta;
    for (std::int64_t r = 0; r < a.rows; ++r) {
      for (std::int64_t i = 0; i < a.columns; ++i) {
        const double product = static_cast<double>(x.at(row, i)) * a.at(r, i) * kScaling * b.at(out, r);
        delta.sum += product;
        delta.size += std::fabs(product);
      }
    }
    return delta;
  }
  [[nodiscard]] const PackedFactors& factors() const { return packed.of(1); }

  static constexpr double kScaling = 0.25;
  Numbers a, b;
  PackedAdapter packed;
};

std::vector<Isa> all_isas() { return isas_up_to(detect_isa()); }

struct Shape {
  std::int64_t rank, in, out;
};
constexpr Shape kShapes[] = {{1, 1, 1}, {16, 64, 48}, {4, 7, 5}, {8, 512, 33}, {17, 513, 16}, {40, 1100, 100}};

// Rows of three adapters and rows without one, in no order.
struct Case {
  explicit Case(const Shape& shape)
      : x(60, shape.in, 5, 11), before(60, shape.out, 2, 12), adapters{of(shape, 20), of(shape, 30), of(shape, 40)} {
    for (std::int64_t row = 0; row < x.rows; ++row) {
      if (const int adapter = number_of(row); adapter < 3) rows[static_cast<std::size_t>(adapter)].push_back(row);
    }
  }
  static Adapter of(const Shape& shape, unsigned seed) { return {shape.rank, shape.in, shape.out, seed}; }
  // The first has 44 of 60 rows, the second one alone; 3: none.
  static int number_of(std::int64_t row) { return row == 5 ? 1 : row % 7 == 3 ? 2 : row % 9 == 2 ? 3 : 0; }

  [[nodiscard]] std::vector<LoraSegment> segments() const {
    std::vector<LoraSegment> out;
    for (std::size_t i = 0; i < adapters.size(); ++i) out.push_back({adapters[i].factors(), rows[i]});
    return out;
  }
  [[nodiscard]] const Adapter* adapter_of(std::int64_t row) const {
    return number_of(row) == 3 ? nullptr : &adapters[static_cast<std::size_t>(number_of(row))];
  }
  [[nodiscard]] std::vector<float> added(const Cpu& cpu) const {
    Numbers y = before;
    const std::vector<LoraSegment> all = segments();
    add_lora(cpu, all, x.input(), y.output());
    return y.values;
  }

  Numbers x, before;
  std::array<Adapter, 3> adapters;
  std::array<std::vector<std::int64_t>, 3> rows;  // of each
};

TEST(Lora, AddsToEachRowWhatItsOwnAdapterSays) {
  SerialWorkers workers;
  for (const Shape& shape : kShapes) {
    const Case lora(shape);
    Numbers y = lora.before;
    y.values = lora.added({.isa = detect_isa(), .workers = &workers});
    for (std::int64_t row = 0; row < y.rows; ++row) {
      const Adapter* const adapter = lora.adapter_of(row);
      for (std::int64_t out = 0; out < shape.out; ++out) {
        const auto delta = adapter == nullptr ? Adapter::Delta() : adapter->delta(lora.x, row, out);
        const double added = static_cast<double>(y.at(row, out)) - lora.before.at(row, out);
        ASSERT_NEAR(added, delta.sum, adapter == nullptr ? 0 : 1e-6 * (1 + delta.size)) << row << ", " << out;
      }
      for (std::int64_t i = shape.out; i < y.stride; ++i) ASSERT_EQ(y.at(row, i), kUntouched);
    }
  }
}

TEST(Lora, EveryInstructionSetAndNumberOfThreadsGivesTheSameBits) {
  SerialWorkers serial;
  ThreadPool two(2), three(3);
  for (const Shape& shape : kShapes) {
    const Case lora(shape);
    const std::vector<float> expected = lora.added({.isa = Isa::kReference, .workers = &serial});
    for (const Isa isa : all_isas()) {
      for (Workers* const workers :
           {static_cast<Workers*>(&serial), static_cast<Workers*>(&two), static_cast<Workers*>(&three)}) {
        EXPECT_EQ(lora.added({.isa = isa, .workers = workers}), expected) << isa_name(isa);
      }
    }
  }
}

TEST(Lora, ARowsBitsDoNotDependOnTheRowsBesideIt) {
  SerialWorkers serial;
  for (const Isa isa : all_isas()) {
    const Case lora({16, 900, 70});
    const Cpu cpu{.isa = isa, .workers = &serial};
    const std::vector<float> together = lora.added(cpu);
    for (std::int64_t row = 0; row < lora.x.rows; ++row) {
      const Adapter* const adapter = lora.adapter_of(row);
      if (adapter == nullptr) continue;
      Numbers y = lora.before;
      const LoraSegment alone{adapter->factors(), {&row, 1}};
      add_lora(cpu, std::span(&alone, 1), lora.x.input(), y.output());
      for (std::int64_t out = 0; out < 70; ++out) {
        ASSERT_EQ(y.at(row, out), together[Numbers::size(row * y.stride + out)]) << isa_name(isa) << " " << row;
      }
    }
  }
}

TEST(Lora, ALinearWithoutFactorsHasNone) {
  const Adapter adapter(2, 3, 4, 1);
  EXPECT_EQ(adapter.packed.of(0).rank, 0);
  EXPECT_EQ(adapter.packed.of(1).rank, 2);
}

}  // namespace
}  // namespace weft::model
