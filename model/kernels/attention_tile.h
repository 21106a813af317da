// The attention kernels over a vector type V; see attention_kernel.h. Included by a file an instruction set.
#pragma once

#include "model/kernels/attention_kernel.h"
#include "model/kernels/vector_math.h"

namespace weft::model {

#define WEFT_TILE_INLINE inline __attribute__((always_inline))
#define WEFT_TILE_UNROLL _Pragma("GCC unroll 16")

template <class V>
struct AttentionTile {
  using Float = typename V::Float;
  static constexpr std::int64_t kLanes = V::kLanes;
  static constexpr float kNone = -__builtin_inff();

  // The next tile's rows, keys and then values, asked for bit by bit while this tile is worked on: memory is to be as
  // busy as the processor.
  struct Ahead {
    const char* rows[2 * kTileKeys];
    std::int64_t count = 0, at = 0, bytes = 0;
    // All of the first part / whole.
    inline __attribute__((always_inline)) void ask_to(std::int64_t part, std::int64_t whole) {
      const std::int64_t end = count * part / whole;
      for (; at < end; ++at) {
        for (std::int64_t line = 0; line < bytes; line += 64) __builtin_prefetch(rows[at] + line);
      }
    }
  };

  // scores[row][key] = q[row] · key, over d in order. kRows by kVectors sums stay in registers.
  template <int kRows, int kVectors>
  static WEFT_TILE_INLINE void scores(const float* q, std::int64_t q_stride, const float* keys, std::int64_t dim,
                                      float* out) {
    Float sums[kRows][kVectors];
    WEFT_TILE_UNROLL
    for (int r = 0; r < kRows; ++r) {
      WEFT_TILE_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[r][v] = V::set(0.0F);
    }
    for (std::int64_t d = 0; d < dim; ++d) {
      Float key[kVectors];
      WEFT_TILE_UNROLL
      for (int v = 0; v < kVectors; ++v) key[v] = V::load(keys + d * kTileKeys + v * kLanes);
      WEFT_TILE_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const Float one = V::set(q[r * q_stride + d]);
        WEFT_TILE_UNROLL
        for (int v = 0; v < kVectors; ++v) sums[r][v] = V::fma(one, key[v], sums[r][v]);
      }
    }
    WEFT_TILE_UNROLL
    for (int r = 0; r < kRows; ++r) {
      WEFT_TILE_UNROLL
      for (int v = 0; v < kVectors; ++v) V::store(out + r * kTileKeys + v * kLanes, sums[r][v]);
    }
  }

  template <int kRows, int kVectors>
  static void score_rows(const float* q, std::int64_t q_stride, const float* keys, std::int64_t dim, std::int64_t count,
                         float* out) {
    constexpr std::int64_t kStep = kVectors * kLanes;
    static_assert(kTileKeys % kStep == 0);
    for (std::int64_t key = 0; key < count; key += kStep) {
      scores<kRows, kVectors>(q, q_stride, keys + key, dim, out + key);
    }
  }

  // Rows in blocks of up to six, as even as may be.
  static WEFT_TILE_INLINE std::int64_t rows_at_once(std::int64_t left) {
    const std::int64_t blocks = (left + 5) / 6;
    return (left + blocks - 1) / blocks;
  }

  static void all_scores(const float* q, std::int64_t q_stride, std::int64_t rows, const float* keys, std::int64_t dim,
                         std::int64_t count, float* out, Ahead& ahead) {
    for (std::int64_t row = 0; row < rows;) {
      const std::int64_t take = rows_at_once(rows - row);
      const float* const from = q + row * q_stride;
      float* const to = out + row * kTileKeys;
      switch (take) {
        case 1:
          score_rows<1, 4>(from, q_stride, keys, dim, count, to);
          break;
        case 2:
          score_rows<2, 4>(from, q_stride, keys, dim, count, to);
          break;
        case 3:
          score_rows<3, 2>(from, q_stride, keys, dim, count, to);
          break;
        case 4:
          score_rows<4, 2>(from, q_stride, keys, dim, count, to);
          break;
        case 5:
          score_rows<5, 2>(from, q_stride, keys, dim, count, to);
          break;
        default:
          score_rows<6, 2>(from, q_stride, keys, dim, count, to);
          break;
      }
      row += take;
      ahead.ask_to(3 * rows + 2 * row, 8 * rows);
    }
  }

  // Scores of keys low … high - 1 become 2^(score - new maximum), the others 0. Returns what the row's earlier values
  // and sum are multiplied by.
  static float soften(float* scores, std::int64_t low, std::int64_t high, float& maximum, float& sum) {
    if (low >= high) {
      for (std::int64_t key = 0; key < kTileKeys; key += kLanes) V::store(scores + key, V::set(0.0F));
      return 1.0F;
    }
    for (std::int64_t key = 0; key < low; ++key) scores[key] = kNone;
    for (std::int64_t key = high; key < kTileKeys; ++key) scores[key] = kNone;
    Float most = V::set(kNone);
    for (std::int64_t key = 0; key < kTileKeys; key += kLanes) most = V::max(most, V::load(scores + key));
    const float largest = V::largest(most), before = maximum;
    if (largest > maximum) maximum = largest;
    const Float top = V::set(maximum);
    Float total = V::set(0.0F);
    for (std::int64_t key = 0; key < kTileKeys; key += kLanes) {
      const Float weight = exp2<V>(V::sub(V::load(scores + key), top));
      V::store(scores + key, weight);
      total = V::add(total, weight);
    }
    const float factor = before == maximum ? 1.0F : power(before - maximum);
    sum = sum * factor + V::sum(total);
    return factor;
  }

  static WEFT_TILE_INLINE float power(float x) {
    float lanes[V::kLanes];
    V::store(lanes, exp2<V>(V::set(x)));
    return lanes[0];
  }

  // values[row] = values[row] * factor[row] + sum over keys of weights[row][key] * value[key], keys in order.
  template <int kRows, int kVectors>
  static WEFT_TILE_INLINE void weigh(const float* weights, const float* const* value, std::int64_t at,
                                     std::int64_t count, const float* factors, float* values, std::int64_t dim) {
    Float sums[kRows][kVectors];
    WEFT_TILE_UNROLL
    for (int r = 0; r < kRows; ++r) {
      WEFT_TILE_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = V::mul(V::load(values + r * dim + at + v * kLanes), V::set(factors[r]));
      }
    }
    for (std::int64_t key = 0; key < count; ++key) {
      const float* const from = value[key] + at;
      const float* const weight = weights + key;
      // The fewer of the two are held, so that the sums keep their registers.
      if constexpr (kRows < kVectors) {
        Float held[kRows];
        WEFT_TILE_UNROLL
        for (int r = 0; r < kRows; ++r) held[r] = V::set(weight[r * kTileKeys]);
        WEFT_TILE_UNROLL
        for (int v = 0; v < kVectors; ++v) {
          const Float one = V::load(from + v * kLanes);
          WEFT_TILE_UNROLL
          for (int r = 0; r < kRows; ++r) sums[r][v] = V::fma(held[r], one, sums[r][v]);
        }
      } else {
        Float held[kVectors];
        WEFT_TILE_UNROLL
        for (int v = 0; v < kVectors; ++v) held[v] = V::load(from + v * kLanes);
        WEFT_TILE_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const Float one = V::set(weight[r * kTileKeys]);
          WEFT_TILE_UNROLL
          for (int v = 0; v < kVectors; ++v) sums[r][v] = V::fma(one, held[v], sums[r][v]);
        }
      }
    }
    WEFT_TILE_UNROLL
    for (int r = 0; r < kRows; ++r) {
      WEFT_TILE_UNROLL
      for (int v = 0; v < kVectors; ++v) V::store(values + r * dim + at + v * kLanes, sums[r][v]);
    }
  }

  template <int kRows, int kVectors>
  static void weigh_rows(const float* weights, const float* const* value, std::int64_t count, const float* factors,
                         float* values, std::int64_t dim) {
    constexpr int kHalf = kVectors / 2;
    std::int64_t at = 0;
    for (; at + kVectors * kLanes <= dim; at += kVectors * kLanes) {
      weigh<kRows, kVectors>(weights, value, at, count, factors, values, dim);
    }
    for (; at + kHalf * kLanes <= dim; at += kHalf * kLanes) {
      weigh<kRows, kHalf>(weights, value, at, count, factors, values, dim);
    }
    for (; at < dim; at += kLanes) weigh<kRows, 1>(weights, value, at, count, factors, values, dim);
  }

  static void all_weighed(const float* weights, std::int64_t rows, const float* const* value, std::int64_t count,
                          const float* factors, float* values, std::int64_t dim, Ahead& ahead) {
    for (std::int64_t row = 0; row < rows;) {
      const std::int64_t take = rows_at_once(rows - row);
      const float* const from = weights + row * kTileKeys;
      float* const to = values + row * dim;
      switch (take) {
        case 1:
          weigh_rows<1, 8>(from, value, count, factors + row, to, dim);
          break;
        case 2:
          weigh_rows<2, 4>(from, value, count, factors + row, to, dim);
          break;
        case 3:
          weigh_rows<3, 4>(from, value, count, factors + row, to, dim);
          break;
        case 4:
          weigh_rows<4, 2>(from, value, count, factors + row, to, dim);
          break;
        case 5:
          weigh_rows<5, 2>(from, value, count, factors + row, to, dim);
          break;
        default:
          weigh_rows<6, 2>(from, value, count, factors + row, to, dim);
          break;
      }
      row += take;
      ahead.ask_to(6 * rows + 2 * row, 8 * rows);
    }
  }

  // keys[d][64] from 64 rows.
  template <class Entry>
  static void transpose(const Entry* const* rows, std::int64_t dim, float* keys, Ahead& ahead) {
    for (std::int64_t key = 0; key < kTileKeys; key += kLanes) {
      for (std::int64_t d = 0; d + 8 <= dim; d += 8) {
        V::transpose8(rows + key, d, keys + d * kTileKeys + key, kTileKeys);
      }
      ahead.ask_to(3 * (key + kLanes), 8 * kTileKeys);
    }
    for (std::int64_t d = dim / 8 * 8; d < dim; ++d) {
      for (std::int64_t key = 0; key < kTileKeys; ++key) keys[d * kTileKeys + key] = number(rows[key][d]);
    }
  }
  static WEFT_TILE_INLINE float number(float value) { return value; }
  static WEFT_TILE_INLINE float number(std::uint16_t bits) {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float value;
    __builtin_memcpy(&value, &wide, sizeof(value));
    return value;
  }

  static void widen(const std::uint16_t* from, std::int64_t dim, float* to) {
    std::int64_t d = 0;
    for (; d + kLanes <= dim; d += kLanes) V::store(to + d, V::load_bfloat16(from + d));
    for (; d < dim; ++d) to[d] = number(from[d]);
  }

  // Where the tile's tokens lie in the blocks; past `count` the last one's again, so that they can be read.
  template <class Entry>
  static void find_rows(const AttentionTask& task, std::span<void* const> blocks, std::int64_t first,
                        std::int64_t count, const Entry** rows) {
    const std::int64_t block_tokens = task.layout.block_tokens, dim = task.layout.head_dim;
    const auto* const* block = reinterpret_cast<const Entry* const*>(blocks.data()) + first / block_tokens;
    std::int64_t within = first % block_tokens;
    const Entry* row = *block + (task.head * block_tokens + within) * dim;
    for (std::int64_t key = 0; key < kTileKeys; ++key) {
      rows[key] = row;
      if (key + 1 >= count) continue;
      row += dim;
      if (++within < block_tokens) continue;
      within = 0;
      row = *++block + task.head * block_tokens * dim;
    }
  }

  // left: tokens after this tile that the same call comes to.
  template <class Entry>
  static void read_tile(const AttentionTask& task, std::int64_t first, std::int64_t count, std::int64_t left,
                        float* keys, float* copies, const float** value, Ahead& ahead) {
    const std::int64_t dim = task.layout.head_dim, padded = task.padded_dim();
    const Entry* rows[kTileKeys];
    ahead.count = ahead.at = 0;
    ahead.bytes = dim * static_cast<std::int64_t>(sizeof(Entry));
    if (left > 0) {
      const std::int64_t next = left < kTileKeys ? left : kTileKeys;
      for (const auto blocks : {task.sequence->keys, task.sequence->values}) {
        find_rows(task, blocks, first + kTileKeys, next, rows);
        for (std::int64_t i = 0; i < next; ++i) ahead.rows[ahead.count++] = reinterpret_cast<const char*>(rows[i]);
      }
    }
    find_rows(task, task.sequence->keys, first, count, rows);
    transpose(rows, dim, keys, ahead);
    find_rows(task, task.sequence->values, first, count, rows);
    for (std::int64_t key = 0; key < count; ++key) {
      if constexpr (sizeof(Entry) == sizeof(float)) {
        value[key] = rows[key];
        if (dim == padded) continue;
        for (std::int64_t d = 0; d < dim; ++d) copies[key * padded + d] = rows[key][d];
      } else {
        widen(rows[key], dim, copies + key * padded);
      }
      for (std::int64_t d = dim; d < padded; ++d) copies[key * padded + d] = 0.0F;
      value[key] = copies + key * padded;
    }
  }

  static void span(const AttentionTask& task, std::int64_t index, SoftmaxPart part, float* scratch) {
    const std::int64_t rows = task.rows(), dim = task.layout.head_dim, padded = task.padded_dim();
    float* const q = scratch;
    float* const keys = q + rows * padded;
    float* const copies = keys + kTileKeys * padded;
    float* const weights = copies + kTileKeys * padded;
    float* const factors = weights + rows * kTileKeys;
    constexpr float kLog2E = 1.44269504F;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const from = task.q + row / task.group * task.q_stride + row % task.group * dim;
      for (std::int64_t d = 0; d < dim; ++d) q[row * padded + d] = from[d] * (task.scale * kLog2E);
      part.maximum[row] = kNone;
      part.sum[row] = 0.0F;
    }
    for (std::int64_t i = 0; i < rows * padded; i += kLanes) V::store(part.values + i, V::set(0.0F));

    const std::int64_t past = task.sequence->past;
    const std::int64_t seen = past + task.end;  // keys that the last token sees
    const std::int64_t oldest = task.window > 0 ? past + task.first - task.window + 1 : 0;  // that the first one sees
    for (std::int64_t tile = index * kSpanKeys; tile < (index + 1) * kSpanKeys && tile < seen; tile += kTileKeys) {
      if (tile + kTileKeys <= oldest) continue;
      const std::int64_t count = seen - tile < kTileKeys ? seen - tile : kTileKeys;
      const std::int64_t span_end = (index + 1) * kSpanKeys;
      const std::int64_t left = (seen < span_end ? seen : span_end) - tile - kTileKeys;
      const float* value[kTileKeys];
      Ahead ahead;
      if (task.layout.format == KvFormat::kFloat32) {
        read_tile<float>(task, tile, count, left, keys, copies, value, ahead);
      } else {
        read_tile<std::uint16_t>(task, tile, count, left, keys, copies, value, ahead);
      }
      all_scores(q, padded, rows, keys, dim, count, weights, ahead);
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t position = past + task.first + row / task.group - tile;  // within the tile
        const std::int64_t high = position + 1 < count ? position + 1 : count;
        const std::int64_t begin = task.window > 0 ? position - task.window + 1 : 0, low = begin > 0 ? begin : 0;
        ahead.ask_to(5 * rows + row, 8 * rows);
        factors[row] = soften(weights + row * kTileKeys, low, high, part.maximum[row], part.sum[row]);
      }
      all_weighed(weights, rows, value, count, factors, part.values, padded, ahead);
    }
  }

  static void join(SoftmaxPart all, SoftmaxPart next, std::int64_t rows, std::int64_t padded) {
    for (std::int64_t row = 0; row < rows; ++row) {
      if (next.maximum[row] == kNone) continue;  // it saw nothing there
      const float most = all.maximum[row] > next.maximum[row] ? all.maximum[row] : next.maximum[row];
      const float before = power(all.maximum[row] - most), after = power(next.maximum[row] - most);
      all.maximum[row] = most;
      all.sum[row] = all.sum[row] * before + next.sum[row] * after;
      for (std::int64_t d = 0; d < padded; d += kLanes) {
        const Float weighed = V::mul(V::load(next.values + row * padded + d), V::set(after));
        V::store(all.values + row * padded + d,
                 V::fma(V::load(all.values + row * padded + d), V::set(before), weighed));
      }
    }
  }

  static void finish(const AttentionTask& task, SoftmaxPart all, float* out, std::int64_t out_stride) {
    const std::int64_t dim = task.layout.head_dim, padded = task.padded_dim();
    for (std::int64_t row = 0; row < task.rows(); ++row) {
      float* const to = out + row / task.group * out_stride + row % task.group * dim;
      const Float scale = V::set(1.0F / all.sum[row]);
      for (std::int64_t d = 0; d < dim; d += kLanes) {
        const Float value = V::mul(V::load(all.values + row * padded + d), scale);
        V::store_part(to + d, value, dim - d);
      }
    }
  }

  static constexpr AttentionKernels kernels() { return {.span = span, .join = join, .finish = finish}; }
};

}  // namespace weft::model
