// Attention of one query token a sequence over its paged KV cache (decode). The letters and arrays are those of
// paged_attention.h; G = H / Hk query heads share a KV head, and a block takes up to kHeads of them, so that it reads
// keys and values once for all.
//
//   attend   grid (S, Hk * ceil(G / kHeads), B), kThreads threads: one split of one sequence. Where S is 1 it writes
//            out, else per head the unnormalised sum, the greatest score and the sum of weights into partials.
//   combine  grid (H, B), kThreads threads: the splits of one head into out. Launched where S is more than 1.
//
// attend goes over its split kTile positions at a time: all threads bring the keys into shared memory; a warp takes
// heads, a lane a position, and scores it; then D / 8 threads hold a row of values, 8 each, and kThreads / (D / 8) rows
// are added up at once. The softmax is online, in powers of two and fp32.
#include "model/kernels/cuda/device.cuh"
#include "model/kernels/cuda/paged_attention_launch.h"

namespace weft::model::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarpSize;
constexpr int kTile = kSplitMultiple;
constexpr int kHeads = 8;  // of a block
constexpr int kHeadsOfWarp = kHeads / kWarps;
constexpr int kVector = 8;  // elements of a load
static_assert(kTile == kWarpSize, "a lane scores one position of the tile");

struct Shape {
  int heads, kv_heads, block_tokens, blocks_per_table, window, tokens_per_split;
  float scale;  // of scores, in powers of two
};

template <class T>
struct Arrays {
  Memory<const T> q, keys, values;
  Memory<const std::int32_t> block_tables, lengths;
  Memory<T> out;
  Memory<float> partials;
};

struct Range {  // [begin, end)
  int begin, end;
};

// What a sequence of `length` tokens lets its newest see.
__device__ inline Range visible(const Shape& shape, int length) {
  return {shape.window > 0 && length > shape.window ? length - shape.window : 0, length};
}
__device__ inline Range intersection(Range a, Range b) {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

// One block's part of the work.
struct Part {
  int sequence, kv_head;
  int first_head, heads;  // of H
  Range positions;
};

__device__ inline Part part_of_block(const Shape& shape, Memory<const std::int32_t> lengths) {
  const int group = shape.heads / shape.kv_heads;
  const int parts = (group + kHeads - 1) / kHeads;  // of a group
  const int y = static_cast<int>(blockIdx.y), split = static_cast<int>(blockIdx.x) * shape.tokens_per_split;
  Part part{};
  part.sequence = static_cast<int>(blockIdx.z);
  part.kv_head = y / parts;
  const int skipped = y % parts * kHeads;
  part.first_head = part.kv_head * group + skipped;
  part.heads = group - skipped < kHeads ? group - skipped : kHeads;
  part.positions = visible(shape, lengths[part.sequence]);
  if (gridDim.x > 1) part.positions = intersection(part.positions, {split, split + shape.tokens_per_split});
  return part;
}

// Where the row of a position begins in keys and in values.
template <int D>
__device__ std::int64_t row_begin(const Shape& shape, const Part& part, Memory<const std::int32_t> block_tables,
                                  int position) {
  const std::int64_t table = static_cast<std::int64_t>(part.sequence) * shape.blocks_per_table;
  const std::int64_t block = block_tables[table + position / shape.block_tokens];
  return ((block * shape.kv_heads + part.kv_head) * shape.block_tokens + position % shape.block_tokens) * D;
}

// Keys in shared memory: rows of kPitch elements, so that a vector load of 32 lanes, a row each, meets no bank twice.
template <class T, int D>
constexpr int kPitch = D + 16 / static_cast<int>(sizeof(T));

template <class T, int D>
__device__ void bring_keys(const Arrays<T>& arrays, const Shape& shape, const Part& part, int first, Memory<T> keys) {
  constexpr int kVectors = D / kVector;  // of a row
  for (int i = static_cast<int>(threadIdx.x); i < kTile * kVectors; i += kThreads) {
    const int row = i / kVectors, column = i % kVectors * kVector;
    if (WEFT_GUARD(first + row < part.positions.end)) {
      copy8(keys + (row * kPitch<T, D> + column),
            arrays.keys + (row_begin<D>(shape, part, arrays.block_tables, first + row) + column));
    }
  }
}

// `query`: [kHeads, D] in shared memory, scaled.
template <class T, int D>
__device__ float score(Memory<float> query, Memory<T> key) {
  float sum = 0;
  WEFT_UNROLL
  for (int d = 0; d < D; d += kVector) {
    float q[kVector], k[kVector];
    load8(query + d, q);
    load8(key + d, k);
    WEFT_UNROLL
    for (int i = 0; i < kVector; ++i) sum += q[i] * k[i];
  }
  return sum;
}

// The running maximum and sum of weights of a head, the same in all lanes of its warp.
struct Softmax {
  float top = -INFINITY, total = 0;
  // Takes a score of each lane, one finite at least. Returns the lane's weight; `decay`: by what earlier ones shrink.
  __device__ float add(float score, float& decay) {
    const float higher = fmaxf(top, warp_max(score));
    const float weight = exp2f(score - higher);
    decay = exp2f(top - higher);
    total = total * decay + warp_sum(weight);
    top = higher;
    return weight;
  }
};

// The sums of weighted values of all heads that one thread keeps: 8 columns of every kRows-th position.
template <class T, int D>
struct Accumulator {
  static constexpr int kVectors = D / kVector;
  static constexpr int kRows = kThreads / kVectors;
  float sums[kHeads][kVector] = {};
  int row = static_cast<int>(threadIdx.x) / kVectors;  // kRows for the threads that are left over
  int column = static_cast<int>(threadIdx.x) % kVectors * kVector;

  // `weights`: [kHeads, kTile], `decay`: [kHeads], in shared memory.
  __device__ void add(const Arrays<T>& arrays, const Shape& shape, const Part& part, int first, Memory<float> weights,
                      Memory<float> decay) {
    WEFT_UNROLL
    for (int head = 0; head < kHeads; ++head) {
      if (head >= part.heads) break;
      const float factor = decay[head];
      WEFT_UNROLL
      for (int i = 0; i < kVector; ++i) sums[head][i] *= factor;
    }
    for (int at = row; at < kTile; at += kRows) {
      if (!WEFT_GUARD(first + at < part.positions.end)) break;
      float values[kVector];
      load8(arrays.values + (row_begin<D>(shape, part, arrays.block_tables, first + at) + column), values);
      WEFT_UNROLL
      for (int head = 0; head < kHeads; ++head) {
        if (head >= part.heads) break;
        const float weight = weights[head * kTile + at];
        WEFT_UNROLL
        for (int i = 0; i < kVector; ++i) sums[head][i] += weight * values[i];
      }
    }
  }
};

template <class T, int D>
__device__ void finish(const Arrays<T>& arrays, const Shape& shape, const Part& part, int head, int d, float sum,
                       float top, float total) {
  const std::int64_t row = static_cast<std::int64_t>(part.sequence) * shape.heads + part.first_head + head;
  if (gridDim.x == 1) {
    arrays.out[row * D + d] = from_float<T>(total > 0 ? sum / total : 0);
    return;
  }
  const Memory<float> partial = arrays.partials + (row * gridDim.x + blockIdx.x) * (D + 2);
  partial[d] = sum;
  if (d == 0) {
    partial[D] = top;
    partial[D + 1] = total;
  }
}

template <class T, int D>
__global__ void attend(Arrays<T> arrays, Shape shape) {
  using Values = Accumulator<T, D>;
  WEFT_SHARED(float, query, kHeads* D);
  WEFT_SHARED(T, keys, kTile * (kPitch<T, D>));
  WEFT_SHARED(float, weights, kHeads* kTile);
  WEFT_SHARED(float, decays, kHeads);
  WEFT_SHARED(float, tops, kHeads);
  WEFT_SHARED(float, totals, kHeads);
  WEFT_SHARED(float, sums, Values::kRows* D);
  const Part part = part_of_block(shape, arrays.lengths);
  if (part.positions.begin >= part.positions.end && gridDim.x > 1) return;  // combine does not look at it
  const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarpSize, lane = thread % kWarpSize;

  const std::int64_t q = (static_cast<std::int64_t>(part.sequence) * shape.heads + part.first_head) * D;
  for (int i = thread; i < part.heads * D; i += kThreads) query[i] = to_float(arrays.q[q + i]) * shape.scale;
  Softmax softmax[kHeadsOfWarp];
  Values values;
  for (int first = part.positions.begin; first < part.positions.end; first += kTile) {
    bring_keys<T, D>(arrays, shape, part, first, keys);
    WEFT_BARRIER();
    WEFT_UNROLL
    for (int i = 0; i < kHeadsOfWarp; ++i) {
      const int head = warp + i * kWarps;
      if (head >= part.heads) break;
      float own = -INFINITY, decay = 0;
      if (WEFT_GUARD(first + lane < part.positions.end)) {
        own = score<T, D>(query + head * D, keys + lane * (kPitch<T, D>));
      }
      weights[head * kTile + lane] = softmax[i].add(own, decay);
      if (lane == 0) decays[head] = decay;
    }
    WEFT_BARRIER();
    if (values.row < Values::kRows) values.add(arrays, shape, part, first, weights, decays);
  }

  WEFT_UNROLL
  for (int i = 0; i < kHeadsOfWarp; ++i) {
    const int head = warp + i * kWarps;
    if (lane != 0 || head >= part.heads) break;
    tops[head] = softmax[i].top;
    totals[head] = softmax[i].total;
  }
  WEFT_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    if (head >= part.heads) break;
    if (WEFT_GUARD(values.row < Values::kRows)) {
      WEFT_UNROLL
      for (int i = 0; i < kVector; ++i) sums[values.row * D + values.column + i] = values.sums[head][i];
    }
    WEFT_BARRIER();
    for (int d = thread; d < D; d += kThreads) {
      float sum = 0;
      for (int row = 0; row < Values::kRows; ++row) sum += sums[row * D + d];
      finish<T, D>(arrays, shape, part, head, d, sum, tops[head], totals[head]);
    }
    WEFT_BARRIER();
  }
}

template <class T>
__global__ void combine(Arrays<T> arrays, Shape shape, int size, int splits) {
  const int stride = size + 2;
  const std::int64_t sequence = blockIdx.y, row = sequence * shape.heads + blockIdx.x;
  const Range positions = visible(shape, arrays.lengths[sequence]);
  const int first = positions.begin / shape.tokens_per_split;
  const int last = (positions.end + shape.tokens_per_split - 1) / shape.tokens_per_split;
  const Memory<float> partials = arrays.partials + row * splits * stride;
  float top = -INFINITY;
  for (int split = first; split < last; ++split) top = fmaxf(top, partials[split * stride + size]);
  for (int d = static_cast<int>(threadIdx.x); d < size; d += kThreads) {
    float sum = 0, total = 0;
    for (int split = first; split < last; ++split) {
      const Memory<float> partial = partials + split * stride;
      const float weight = exp2f(partial[size] - top);
      sum += weight * partial[d];
      total += weight * partial[size + 1];
    }
    arrays.out[row * size + d] = from_float<T>(total > 0 ? sum / total : 0);
  }
}

template <class T, int D>
void launch_kernels(const PagedAttention& a, void* stream) {
  constexpr float kLog2E = 1.44269504F;
  const Arrays<T> arrays{static_cast<const T*>(a.q),
                         static_cast<const T*>(a.keys),
                         static_cast<const T*>(a.values),
                         a.block_tables,
                         a.lengths,
                         static_cast<T*>(a.out),
                         a.partials};
  const Shape shape{a.heads,  a.kv_heads,         a.block_tokens,  a.blocks_per_table,
                    a.window, a.tokens_per_split, a.scale * kLog2E};
  const auto unsigned_of = [](int value) { return static_cast<unsigned>(value); };
  const int group = a.heads / a.kv_heads, parts = (group + kHeads - 1) / kHeads, splits = a.splits();
  const Dim3 grid{unsigned_of(splits), unsigned_of(a.kv_heads * parts), unsigned_of(a.sequences)};
  const Dim3 threads{unsigned_of(kThreads), 1, 1};
  WEFT_LAUNCH((attend<T, D>), grid, threads, 0, stream, arrays, shape);
  if (splits == 1) return;
  const Dim3 rows{unsigned_of(a.heads), unsigned_of(a.sequences), 1};
  WEFT_LAUNCH(combine<T>, rows, threads, 0, stream, arrays, shape, D, splits);
}

template <class T>
bool launch_for_size(const PagedAttention& a, void* stream) {
  switch (a.head_size) {
    case 64:
      return launch_kernels<T, 64>(a, stream), true;
    case 80:
      return launch_kernels<T, 80>(a, stream), true;
    case 96:
      return launch_kernels<T, 96>(a, stream), true;
    case 128:
      return launch_kernels<T, 128>(a, stream), true;
    case 256:
      return launch_kernels<T, 256>(a, stream), true;
    default:
      return false;
  }
}

}  // namespace

bool launch_paged_attention(const PagedAttention& attention, void* stream) {
  switch (attention.type) {
    case ElementType::kFloat32:
      return launch_for_size<float>(attention, stream);
    case ElementType::kBfloat16:
      return launch_for_size<Bf16>(attention, stream);
    case ElementType::kFloat16:
      return launch_for_size<Half>(attention, stream);
  }
  return false;
}

const char* last_launch_error() { return launch_error(); }

}  // namespace weft::model::cuda
