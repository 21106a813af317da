// PackedMatrix::multiply: prepares the activations, walks panels and tiles, and finishes the sums. Everything that an
// instruction set does better lies behind LinearKernels.
#include <algorithm>
#include <vector>

#include "model/kernels/packed_matrix.h"

namespace weft::model {
namespace {

constexpr std::int64_t kRowsAtOnce = 512;  // of activations prepared at a time: bounds the scratch
constexpr std::int64_t kTaskRows = 128;    // of activations a task multiplies by its panels
// Up to here the weights' way from memory is what takes the time: every step of a panel is used for all rows while the
// next one comes. With more rows a tile of them stays in the nearest cache and the panels in the second.
constexpr std::int64_t kFewRows = 16;
constexpr std::int64_t kMostTileRows = 32;
constexpr std::int64_t kStepBytes = 8 * 1024;     // of a panel, which stay in the nearest cache over a task's rows
constexpr std::int64_t kPieceBytes = 384 * 1024;  // of weights a task takes

// Activations as the tiles read them.
struct Prepared {
  std::byte* x;
  std::int64_t x_stride_bytes, entry_bytes;
  std::int64_t group, groups;  // int8: columns a scale, scales a row
  float* scales;               // [rows, groups]
  std::int32_t* corrections;
};

std::int64_t entry_bytes(ActivationFormat format) {
  return format == ActivationFormat::kFloat32 ? 4 : format == ActivationFormat::kBFloat16 ? 2 : 1;
}

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

Prepared prepare(const LinearKernel& kernel, Workers& workers, InputRows x, std::int64_t columns, std::int64_t group) {
  thread_local Scratch scratch;
  Prepared out{};
  const std::int64_t padded = round_up(columns, kBlockColumns), rows = round_up(x.rows, kernel.row_multiple);
  out.entry_bytes = entry_bytes(kernel.activations);
  // A line more than the row: a stride of a power of two would put a tile's rows into the same few places of the cache.
  out.x_stride_bytes = padded * out.entry_bytes + 64;
  out.group = group;
  out.groups = kernel.activations == ActivationFormat::kInt8 ? padded / group : 0;
  const std::int64_t x_bytes = rows * out.x_stride_bytes, scale_bytes = round_up(rows * out.groups * 4, 64);
  out.x = scratch.take(static_cast<std::size_t>(x_bytes + 2 * scale_bytes));
  out.scales = reinterpret_cast<float*>(out.x + x_bytes);
  out.corrections = reinterpret_cast<std::int32_t*>(out.x + x_bytes + scale_bytes);
  const auto body = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const bool real = row < x.rows;
      kernel.prepare({.x = real ? x.data + row * x.stride : nullptr,
                      .columns = real ? columns : 0,
                      .padded = padded,
                      .out = out.x + row * out.x_stride_bytes,
                      .group = group,
                      .scales = out.scales + row * out.groups,
                      .corrections = out.corrections + row * out.groups});
    }
  };
  constexpr std::int64_t kWorthThreads = 1 << 14;  // numbers: fewer are prepared sooner than a thread wakes
  if (rows * padded < kWorthThreads) {
    body(0, rows);
  } else {
    for_pieces(workers, rows, std::max<std::int64_t>(1, kWorthThreads / 2 / padded), body);
  }
  return out;
}

}  // namespace

void PackedMatrix::multiply(const Cpu& cpu, InputRows x, OutputRows y, std::span<const float> bias) const {
  multiply(linear_kernels(cpu.isa), *cpu.workers, x, y, bias);
}

void PackedMatrix::multiply(const LinearKernels& kernels, Workers& workers, InputRows x, OutputRows y,
                            std::span<const float> bias) const {
  WEFT_CHECK(bias.empty() || static_cast<std::int64_t>(bias.size()) == shape_.rows);
  for (; x.rows > kRowsAtOnce; x.rows -= kRowsAtOnce) {
    const InputRows first{.data = x.data, .rows = kRowsAtOnce, .stride = x.stride};
    multiply(kernels, workers, first, y, bias);
    x.data += kRowsAtOnce * x.stride;
    y.data += kRowsAtOnce * y.stride;
  }
  if (x.rows <= 0) return;
  const LinearKernel& kernel = kernels.of(shape_.format, shape_.group).of(x.rows);
  const std::int64_t group = shape_.format == WeightFormat::kInt4 && shape_.group == 32 ? 32 : kBlockColumns;
  const Prepared prepared = prepare(kernel, workers, x, shape_.columns, group);

  // sums: [rows][16] of activations begin … begin + rows with one panel.
  const auto sum_panel = [&](std::int64_t index, std::int64_t begin, std::int64_t rows, float* sums) {
    for (std::int64_t row = 0; row < rows; ++row) std::fill_n(sums + row * kPanelRows, kPanelRows, 0.0F);
    const std::int64_t blocks = padded_columns_ / kBlockColumns;
    const std::int64_t step = rows > kernel.tile_rows ? kStepBytes / block_bytes_ : blocks;
    for (std::int64_t block = 0; block < blocks; block += step) {
      const std::int64_t first_group = block * kBlockColumns / group;
      const std::int64_t scale_at = shape_.group == 0 ? 0 : block * kBlockColumns / shape_.group * kPanelRows;
      for (std::int64_t row = 0; row < rows; row += kernel.tile_rows) {
        kernel.tile(
            {.x = prepared.x + (begin + row) * prepared.x_stride_bytes + block * kBlockColumns * prepared.entry_bytes,
             .x_stride_bytes = prepared.x_stride_bytes,
             .x_scales = prepared.scales + (begin + row) * prepared.groups + first_group,
             .x_corrections = prepared.corrections + (begin + row) * prepared.groups + first_group,
             .scale_stride = prepared.groups,
             .weights = panel(index) + block * block_bytes_,
             .weight_scales = reinterpret_cast<const std::uint16_t*>(panel(index) + scales_offset_) + scale_at,
             .blocks = std::min(step, blocks - block),
             .rows = std::min(kernel.tile_rows, rows - row),
             .sums = sums + row * kPanelRows});
      }
    }
  };
  // y from sums: the int8 row scale and the bias.
  const auto finish_panel = [&](std::int64_t index, std::int64_t begin, std::int64_t rows, const float* sums) {
    const std::int64_t first = index * kPanelRows, width = std::min(kPanelRows, shape_.rows - first);
    const float* const scales = row_scales_.empty() ? nullptr : row_scales_.data() + first;
    for (std::int64_t row = 0; row < rows; ++row) {
      float values[kPanelRows];
      std::copy_n(sums + row * kPanelRows, kPanelRows, values);
      if (scales != nullptr) {
        for (int i = 0; i < kPanelRows; ++i) values[i] *= scales[i];
      }
      if (!bias.empty()) {
        for (std::int64_t i = 0; i < width; ++i) values[i] += bias[static_cast<std::size_t>(first + i)];
      }
      float* const out = y.data + (begin + row) * y.stride + first;
      width == kPanelRows ? std::copy_n(values, kPanelRows, out) : std::copy_n(values, width, out);
    }
  };

  // The work in order: a run of panels by kTaskRows rows of activations, then the same panels by the next rows.
  const std::int64_t count = panels(), threads = workers.size();
  const std::int64_t share = std::max<std::int64_t>(1, count / (threads * 4));
  const std::int64_t piece = std::min(share, std::max<std::int64_t>(1, kPieceBytes / panel_bytes_));
  const std::int64_t row_tasks = (x.rows + kTaskRows - 1) / kTaskRows, panel_tasks = (count + piece - 1) / piece;
  for_pieces(workers, panel_tasks * row_tasks, 1, [&](std::int64_t begin_task, std::int64_t end_task) {
    alignas(64) float sums[std::max(kFewRows, kMostTileRows) * kPanelRows];
    if (kernel.enter != nullptr) kernel.enter();
    for (std::int64_t task = begin_task; task < end_task; ++task) {
      const std::int64_t first_row = task % row_tasks * kTaskRows, rows = std::min(kTaskRows, x.rows - first_row);
      const std::int64_t first_panel = task / row_tasks * piece, end_panel = std::min(first_panel + piece, count);
      const std::int64_t pass = x.rows <= kFewRows ? rows : kernel.tile_rows;
      for (std::int64_t row = first_row; row < first_row + rows; row += pass) {
        const std::int64_t together = std::min(pass, first_row + rows - row);
        for (std::int64_t index = first_panel; index < end_panel; ++index) {
          sum_panel(index, row, together, sums);
          finish_panel(index, row, together, sums);
        }
      }
    }
    if (kernel.leave != nullptr) kernel.leave();
  });
}

}  // namespace weft::model
