// add_lora: how a step's segments are cut into tasks. The arithmetic is in lora_tile.h.
#include "model/kernels/lora.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "model/kernels/lora_kernel.h"
#include "model/kernels/lora_tile.h"
#include "model/kernels/vector_portable.h"

namespace weft::model {
namespace {

constexpr std::int64_t kShrinkColumns = 512;  // of A, whose panel stays in the nearest cache over a task's rows
constexpr std::size_t kTaskRows = 16;
constexpr std::int64_t kTaskNumbers = 1 << 13;  // of B: panels that a task takes

constexpr std::int64_t kLinesAhead = 64;

constexpr auto kInOrder = [] {
  std::array<std::int64_t, kTaskRows> rows{};
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}();

constexpr std::int64_t parts(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

std::int64_t a_floats(const LoraMatrices& linear) {
  return parts(linear.a.rows, kLoraLanes) * linear.a.columns * kLoraLanes;
}
std::int64_t b_floats(const LoraMatrices& linear) {
  return parts(linear.b.rows, kLoraLanes) * linear.b.columns * kLoraLanes;
}

// Row i is lane i % 16 of its panel.
void pack(MatrixView from, double factor, float* to) {
  for (std::int64_t row = 0; row < from.rows; ++row) {
    float* const panel = to + row / kLoraLanes * from.columns * kLoraLanes + row % kLoraLanes;
    for (std::int64_t i = 0; i < from.columns; ++i) {
      panel[i * kLoraLanes] = static_cast<float>(static_cast<double>(from.data[row * from.stride + i]) * factor);
    }
  }
}

void prefetch_beginning(const float* factors) {
  for (std::int64_t line = 0; line < kLinesAhead; ++line) __builtin_prefetch(factors + line * kLoraLanes, 0, 2);
}

// Up to kTaskRows rows of a segment and the ranks of one panel of A.
struct Inner {
  PackedFactors factors;
  std::span<const std::int64_t> rows;
  std::int64_t panel;
  std::int64_t sums_at;  // [blocks][rows][16] floats of scratch, of which the first become their sum
  [[nodiscard]] std::int64_t size() const { return std::ssize(rows) * kLoraLanes; }
  [[nodiscard]] std::int64_t blocks() const { return parts(factors.in, kShrinkColumns); }
};

struct Shrink {
  std::size_t inner;
  std::int64_t block;
};

// Some panels of B. `inner` is the first of its rows' Inners, one a panel of A.
struct Expand {
  std::size_t inner;
  std::int64_t first_panel, end_panel;
};

struct Plan {
  std::vector<Inner> inners;
  std::vector<Shrink> shrinks;
  std::vector<Expand> expands;
  std::int64_t floats = 0;    // of scratch
  std::int64_t products = 0;  // of a row and a factor

  void add(const LoraSegment& segment) {
    const PackedFactors& factors = segment.factors;
    const std::int64_t a_panels = parts(factors.rank, kLoraLanes), b_panels = parts(factors.out, kLoraLanes);
    const std::int64_t step = std::max<std::int64_t>(1, kTaskNumbers / (factors.rank * kLoraLanes));
    for (auto left = segment.rows; !left.empty(); left = left.subspan(std::min(kTaskRows, left.size()))) {
      for (std::int64_t panel = 0; panel < b_panels; panel += step) {
        expands.push_back({inners.size(), panel, std::min(panel + step, b_panels)});
      }
      for (std::int64_t panel = 0; panel < a_panels; ++panel) {
        inners.push_back({factors, left.first(std::min(kTaskRows, left.size())), panel, floats});
        const std::int64_t blocks = inners.back().blocks();
        for (std::int64_t block = 0; block < blocks; ++block) shrinks.push_back({inners.size() - 1, block});
        floats += blocks * inners.back().size();
      }
    }
    products += std::ssize(segment.rows) * factors.rank * (factors.in + factors.out);
  }
};

}  // namespace

PackedAdapter::PackedAdapter(std::span<const LoraMatrices> linears) {
  std::int64_t floats = 0;
  for (const LoraMatrices& linear : linears) floats += a_floats(linear) + b_floats(linear);
  memory_ = AlignedBuffer(static_cast<std::size_t>(floats) * sizeof(float));
  auto* at = reinterpret_cast<float*>(memory_.data());
  for (const LoraMatrices& linear : linears) {
    WEFT_CHECK(linear.b.columns == linear.a.rows);
    float* const b = at + a_floats(linear);
    pack(linear.a, 1, at);
    pack(linear.b, linear.scaling, b);
    factors_.push_back({linear.a.rows, linear.a.columns, linear.b.rows, at, b});
    at = b + b_floats(linear);
  }
}

LoraKernels lora_kernels([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512Vnni) return avx512_lora_kernels();
  if (isa == Isa::kAvx2) return avx2_lora_kernels();
#endif
  return LoraTiles<PortableVector<8>>::kernels();
}

void add_lora(const Cpu& cpu, std::span<const LoraSegment> segments, InputRows x, OutputRows y) {
  Plan plan;
  for (const LoraSegment& segment : segments) {
    for (const std::int64_t row : segment.rows) WEFT_CHECK(row >= 0 && row < x.rows);
    plan.add(segment);
  }
  const LoraKernels kernels = lora_kernels(cpu.isa);
  thread_local Scratch scratch;
  auto* const sums = reinterpret_cast<float*>(scratch.take(static_cast<std::size_t>(plan.floats) * sizeof(float)));

  const auto a_of = [&](const Shrink& task) {
    const Inner& inner = plan.inners[task.inner];
    return inner.factors.a + (inner.panel * inner.factors.in + task.block * kShrinkColumns) * kLoraLanes;
  };
  const auto b_of = [&](const Expand& task) {
    const PackedFactors& factors = plan.inners[task.inner].factors;
    return factors.b + task.first_panel * factors.rank * kLoraLanes;
  };
  const auto shrink = [&](const Shrink& task) {
    const Inner& inner = plan.inners[task.inner];
    const std::int64_t first = task.block * kShrinkColumns;
    float* const block_sums = sums + inner.sums_at + task.block * inner.size();
    std::fill_n(block_sums, inner.size(), 0.0F);
    kernels.shrink({.x = x.data + first,
                    .x_stride = x.stride,
                    .x_rows = inner.rows.data(),
                    .panel = a_of(task),
                    .panel_stride = 0,
                    .columns = std::min(kShrinkColumns, inner.factors.in - first),
                    .y = block_sums,
                    .y_stride = kLoraLanes,
                    .y_rows = kInOrder.data(),
                    .rows = std::ssize(inner.rows),
                    .width = kLoraLanes});
  };
  const auto join_blocks = [&](const Inner& inner) {
    float* const all = sums + inner.sums_at;
    for (std::int64_t block = 1; block < inner.blocks(); ++block) {
      for (std::int64_t i = 0; i < inner.size(); ++i) all[i] += all[block * inner.size() + i];
    }
  };
  const auto expand = [&](const Expand& task) {
    const Inner* const inner = &plan.inners[task.inner];
    const PackedFactors& factors = inner->factors;
    const std::int64_t first = task.first_panel * kLoraLanes;
    for (std::int64_t at = 0; at < parts(factors.rank, kLoraLanes); ++at) {
      const std::int64_t rank = at * kLoraLanes;
      kernels.expand({.x = sums + inner[at].sums_at,
                      .x_stride = kLoraLanes,
                      .x_rows = kInOrder.data(),
                      .panel = b_of(task) + rank * kLoraLanes,
                      .panel_stride = factors.rank * kLoraLanes,
                      .columns = std::min(kLoraLanes, factors.rank - rank),
                      .y = y.data + first,
                      .y_stride = y.stride,
                      .y_rows = inner->rows.data(),
                      .rows = std::ssize(inner->rows),
                      .width = std::min(task.end_panel * kLoraLanes, factors.out) - first});
    }
  };
  constexpr std::int64_t kWorthThreads = 1 << 15;  // products: fewer are done sooner than a thread wakes
  constexpr std::int64_t kPiecesAThread = 8;
  SerialWorkers alone;
  Workers& workers = plan.products < kWorthThreads ? alone : *cpu.workers;
  // Factors lie here and there, and a core begins to read ahead only once it has read: so the next task's beginning is
  // asked for before this one is done.
  const auto each = [&](const auto& tasks, const auto& body, const auto& factors_of) {
    const auto count = static_cast<std::int64_t>(tasks.size());
    const std::int64_t piece = std::max<std::int64_t>(1, count / (kPiecesAThread * workers.size()));
    for_pieces(workers, count, piece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        if (i + 1 < end) prefetch_beginning(factors_of(tasks[static_cast<std::size_t>(i + 1)]));
        body(tasks[static_cast<std::size_t>(i)]);
      }
    });
  };
  each(plan.shrinks, shrink, a_of);
  for (const Inner& inner : plan.inners) join_blocks(inner);
  each(plan.expands, expand, b_of);
}

}  // namespace weft::model
