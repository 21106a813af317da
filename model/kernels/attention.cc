// attend and store_kv: how a step's work is cut into tasks. The arithmetic is in attention_tile.h.
#include "model/kernels/attention.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/attention_kernel.h"
#include "model/kernels/attention_tile.h"
#include "model/weights/half.h"

namespace weft::model {
namespace {

constexpr std::int64_t kTaskRows = 56;  // queries by heads: enough that a tile of keys is read once for many of them

// Memory for a softmax of `rows` rows. Lines of 64 bytes, so that threads do not share one.
std::int64_t part_floats(std::int64_t rows, std::int64_t padded_dim) {
  return rows * padded_dim + (2 * rows + 15) / 16 * 16;
}
SoftmaxPart part_at(float* memory, std::int64_t rows, std::int64_t padded_dim) {
  return {.maximum = memory + rows * padded_dim, .sum = memory + rows * padded_dim + rows, .values = memory};
}

void clear(SoftmaxPart part, std::int64_t rows, std::int64_t padded_dim) {
  std::fill_n(part.values, rows * padded_dim, 0.0F);
  std::fill_n(part.maximum, rows, -std::numeric_limits<float>::infinity());
  std::fill_n(part.sum, rows, 0.0F);
}

struct Task {
  AttentionTask kernel;
  float* out;
  std::int64_t first_span, end_span;
  std::int64_t parts_at = 0;  // floats into the memory of parts, where spans are tasks of their own
};

std::vector<Task> cut(const KvLayout& layout, const AttentionOptions& options,
                      std::span<const SequenceBlocks> sequences, TokenRows q, float* out, std::int64_t out_stride) {
  const std::int64_t group = options.query_heads / layout.kv_heads, dim = layout.head_dim;
  const std::int64_t step = std::max<std::int64_t>(1, kTaskRows / group);
  std::vector<Task> tasks;
  std::int64_t token = 0;  // of the step, where the sequence begins
  for (const SequenceBlocks& sequence : sequences) {
    const std::int64_t blocks = (sequence.past + sequence.tokens + layout.block_tokens - 1) / layout.block_tokens;
    WEFT_CHECK(sequence.tokens == 0 || (static_cast<std::int64_t>(sequence.keys.size()) >= blocks &&
                                        static_cast<std::int64_t>(sequence.values.size()) >= blocks));
    for (std::int64_t first = 0; first < sequence.tokens; first += step) {
      const std::int64_t end = std::min(first + step, sequence.tokens);
      const std::int64_t oldest = options.window > 0 ? sequence.past + first - options.window + 1 : 0;
      for (std::int64_t head = 0; head < layout.kv_heads; ++head) {
        tasks.push_back({.kernel = {.layout = layout,
                                    .sequence = &sequence,
                                    .head = head,
                                    .group = group,
                                    .first = first,
                                    .end = end,
                                    .scale = options.scale,
                                    .window = options.window,
                                    .q = q.data + (token + first) * q.stride + head * group * dim,
                                    .q_stride = q.stride},
                         .out = out + (token + first) * out_stride + head * group * dim,
                         .first_span = std::max<std::int64_t>(0, oldest) / kSpanKeys,
                         .end_span = (sequence.past + end + kSpanKeys - 1) / kSpanKeys});
      }
    }
    token += sequence.tokens;
  }
  return tasks;
}

}  // namespace

const AttentionKernels& attention_kernels([[maybe_unused]] Isa isa) {
  static const AttentionKernels portable = AttentionTile<PortableVector<8>>::kernels();
#if defined(__x86_64__)
  // Made only where they can run: what makes them is itself compiled for its instruction set.
  if (isa >= Isa::kAvx512Vnni) {
    static const AttentionKernels avx512 = avx512_attention_kernels();
    return avx512;
  }
  if (isa == Isa::kAvx2) {
    static const AttentionKernels avx2 = avx2_attention_kernels();
    return avx2;
  }
#endif
  return portable;
}

void store_kv(const Cpu& cpu, const KvLayout& layout, std::span<const SequenceBlocks> sequences, TokenRows k,
              TokenRows v) {
  const std::int64_t dim = layout.head_dim;
  const auto store_row = [&](const float* from, void* block, std::int64_t at) {
    if (layout.format == KvFormat::kFloat32) {
      std::copy_n(from, dim, static_cast<float*>(block) + at);
    } else {
      std::transform(from, from + dim, static_cast<Bf16*>(block) + at, to_bf16);
    }
  };
  std::int64_t before = 0;
  for (const SequenceBlocks& sequence : sequences) {
    constexpr std::int64_t kPiece = 64;  // tokens
    for_pieces(*cpu.workers, sequence.tokens, kPiece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t token = begin; token < end; ++token) {
        const std::int64_t position = sequence.past + token;
        const auto block = static_cast<std::size_t>(position / layout.block_tokens);
        for (std::int64_t head = 0; head < layout.kv_heads; ++head) {
          const std::int64_t at = (head * layout.block_tokens + position % layout.block_tokens) * dim;
          store_row(k.data + (before + token) * k.stride + head * dim, sequence.keys[block], at);
          store_row(v.data + (before + token) * v.stride + head * dim, sequence.values[block], at);
        }
      }
    });
    before += sequence.tokens;
  }
}

void attend(const Cpu& cpu, const KvLayout& layout, const AttentionOptions& options,
            std::span<const SequenceBlocks> sequences, TokenRows q, float* out, std::int64_t out_stride) {
  WEFT_CHECK(layout.kv_heads > 0 && options.query_heads % layout.kv_heads == 0 && layout.block_tokens > 0);
  const AttentionKernels& kernels = attention_kernels(cpu.isa);
  std::vector<Task> tasks = cut(layout, options, sequences, q, out, out_stride);
  const auto finish = [&](const Task& task, SoftmaxPart all) {
    kernels.finish(task.kernel, all, task.out, out_stride);
  };
  const auto count = static_cast<std::int64_t>(tasks.size());

  if (count >= 4 * cpu.workers->size() || cpu.workers->size() == 1) {
    // The last tokens see the most: they go first, lest a thread begins with them when the others are done.
    for_pieces(*cpu.workers, count, 1, [&](std::int64_t begin, std::int64_t end) {
      thread_local Scratch scratch;
      for (std::int64_t i = begin; i < end; ++i) {
        const Task& task = tasks[static_cast<std::size_t>(count - 1 - i)];
        const std::int64_t rows = task.kernel.rows(), padded = task.kernel.padded_dim(),
                           floats = part_floats(rows, padded);
        const std::int64_t kernel_floats = (attention_scratch_floats(task.kernel) + 15) / 16 * 16;
        auto* const memory = reinterpret_cast<float*>(
            scratch.take(static_cast<std::size_t>(kernel_floats + 2 * floats) * sizeof(float)));
        const SoftmaxPart all = part_at(memory + kernel_floats, rows, padded);
        const SoftmaxPart next = part_at(memory + kernel_floats + floats, rows, padded);
        clear(all, rows, padded);
        for (std::int64_t span = task.first_span; span < task.end_span; ++span) {
          kernels.span(task.kernel, span, next, memory);
          kernels.join(all, next, rows, padded);
        }
        finish(task, all);
      }
    });
    return;
  }

  // Few tasks, long ones perhaps: each span is one, and they are joined afterwards.
  struct SpanTask {
    const Task* task;
    std::int64_t span;
  };
  std::vector<SpanTask> spans;
  std::int64_t floats = 0;
  for (Task& task : tasks) {
    task.parts_at = floats;
    floats += part_floats(task.kernel.rows(), task.kernel.padded_dim()) * (task.end_span - task.first_span + 1);
    for (std::int64_t span = task.first_span; span < task.end_span; ++span) spans.push_back({&task, span});
  }
  thread_local Scratch part_scratch;
  auto* const parts = reinterpret_cast<float*>(part_scratch.take(static_cast<std::size_t>(floats) * sizeof(float)));
  const auto part_of = [&](const Task& task, std::int64_t index) {  // 0: of all spans together
    const std::int64_t rows = task.kernel.rows(), padded = task.kernel.padded_dim();
    return part_at(parts + task.parts_at + index * part_floats(rows, padded), rows, padded);
  };
  for_pieces(*cpu.workers, static_cast<std::int64_t>(spans.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch scratch;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto& [task, span] = spans[static_cast<std::size_t>(i)];
      auto* const memory = reinterpret_cast<float*>(
          scratch.take(static_cast<std::size_t>(attention_scratch_floats(task->kernel)) * sizeof(float)));
      kernels.span(task->kernel, span, part_of(*task, 1 + span - task->first_span), memory);
    }
  });
  for (const Task& task : tasks) {
    const std::int64_t rows = task.kernel.rows(), padded = task.kernel.padded_dim();
    clear(part_of(task, 0), rows, padded);
    for (std::int64_t span = task.first_span; span < task.end_span; ++span) {
      kernels.join(part_of(task, 0), part_of(task, 1 + span - task.first_span), rows, padded);
    }
    finish(task, part_of(task, 0));
  }
}

}  // namespace weft::model
