// A paged-attention problem with its right answer, which a test runs on whatever device there is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "model/kernels/cuda/paged_attention.h"
#include "tests/support/cuda_on_cpu/number.h"
#include "tests/unit/model/kernels/cuda/device_array.h"

namespace weft::model::cuda {

using cuda_on_cpu::Bf16, cuda_on_cpu::Half, cuda_on_cpu::from_float, cuda_on_cpu::to_float;

template <class T>
inline constexpr ElementType kElementType = ElementType::kFloat32;
template <>
inline constexpr ElementType kElementType<Bf16> = ElementType::kBfloat16;
template <>
inline constexpr ElementType kElementType<Half> = ElementType::kFloat16;

struct CaseShape {
  int heads = 1, kv_heads = 1, head_size = 64;
  int block_tokens = 16;
  int window = 0, tokens_per_split = 1024;
  std::vector<int> lengths = {1};
};

// Values are random; a sequence's blocks lie scattered. The last table is exactly as long as it must be, and nothing
// lies behind it, so that a position too far is an access out of bounds.
template <class T>
class Case {
 public:
  explicit Case(CaseShape shape) : shape_(std::move(shape)) {
    const int longest = *std::max_element(shape_.lengths.begin(), shape_.lengths.end());
    blocks_per_table_ = std::max(1, (longest + shape_.block_tokens - 1) / shape_.block_tokens);
    const int blocks = static_cast<int>(shape_.lengths.size()) * blocks_per_table_;
    tables_.resize(static_cast<std::size_t>(blocks));
    std::iota(tables_.begin(), tables_.end(), 0);
    std::shuffle(tables_.begin(), tables_.end(), random_);
    q_ = values(shape_.lengths.size() * static_cast<std::size_t>(shape_.heads * shape_.head_size), 3);
    const auto cached = static_cast<std::size_t>(blocks) *
                        static_cast<std::size_t>(shape_.kv_heads * shape_.block_tokens * shape_.head_size);
    keys_ = values(cached, 1);
    values_ = values(cached, 1);
  }

  // [B, H, D]. In the emulation throws cuda_on_cpu::Fault for what kernels must not do.
  Expected<std::vector<float>> run() const {
    PagedAttention a{.type = kElementType<T>,
                     .sequences = static_cast<int>(shape_.lengths.size()),
                     .heads = shape_.heads,
                     .kv_heads = shape_.kv_heads,
                     .head_size = shape_.head_size,
                     .block_tokens = shape_.block_tokens,
                     .blocks_per_table = blocks_per_table_,
                     .max_length = *std::max_element(shape_.lengths.begin(), shape_.lengths.end()),
                     .window = shape_.window,
                     .tokens_per_split = shape_.tokens_per_split,
                     .scale = scale()};
    DeviceArray<T> q("q", q_), keys("keys", keys_), values("values", values_), out("out", q_.size());
    DeviceArray<std::int32_t> tables("tables", tables_),
        lengths("lengths", {shape_.lengths.begin(), shape_.lengths.end()});
    DeviceArray<float> partials("partials", a.partials_count());
    a.q = q.data();
    a.keys = keys.data();
    a.values = values.data();
    a.block_tables = tables.data();
    a.lengths = lengths.data();
    a.out = out.data();
    a.partials = a.partials_count() > 0 ? partials.data() : nullptr;
    if (auto done = paged_attention(a, nullptr); !done) return done.error();
    std::vector<float> result;
    for (const T value : out.values()) result.push_back(to_float(value));
    return result;
  }

  // The same from the definition, in double.
  [[nodiscard]] std::vector<double> expected() const {
    std::vector<double> out;
    for (std::size_t b = 0; b < shape_.lengths.size(); ++b) {
      for (int head = 0; head < shape_.heads; ++head) append_head(b, head, out);
    }
    return out;
  }
  // What rounding may cost: of the stored result relative to values of at most about 1, and of fp32 sums.
  [[nodiscard]] static double tolerance() {
    return kElementType<T> == ElementType::kFloat32 ? 1e-5 : kElementType<T> == ElementType::kBfloat16 ? 8e-3 : 1e-3;
  }

 private:
  std::vector<T> values(std::size_t count, float range) {
    std::uniform_real_distribution<float> uniform(-range, range);
    std::vector<T> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(from_float<T>(uniform(random_)));
    return out;
  }
  [[nodiscard]] float scale() const { return 1 / std::sqrt(static_cast<float>(shape_.head_size)); }
  [[nodiscard]] std::size_t cached(std::size_t sequence, int kv_head, int position) const {
    const auto table = sequence * static_cast<std::size_t>(blocks_per_table_);
    const int block = tables_[table + static_cast<std::size_t>(position / shape_.block_tokens)];
    return static_cast<std::size_t>(
        ((block * shape_.kv_heads + kv_head) * shape_.block_tokens + position % shape_.block_tokens) *
        shape_.head_size);
  }
  void append_head(std::size_t sequence, int head, std::vector<double>& out) const {
    const auto size = static_cast<std::size_t>(shape_.head_size);
    const int length = shape_.lengths[sequence], kv_head = head / (shape_.heads / shape_.kv_heads);
    const int begin = shape_.window > 0 ? std::max(0, length - shape_.window) : 0;
    const std::size_t q = (sequence * static_cast<std::size_t>(shape_.heads) + static_cast<std::size_t>(head)) * size;
    std::vector<double> weights, sums(size);
    for (int position = begin; position < length; ++position) {
      double score = 0;
      for (std::size_t d = 0; d < size; ++d) {
        score += static_cast<double>(to_float(q_[q + d])) * to_float(keys_[cached(sequence, kv_head, position) + d]);
      }
      weights.push_back(score * scale());
    }
    const double top = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - top);
    for (int position = begin; position < length; ++position) {
      const double weight = weights[static_cast<std::size_t>(position - begin)] / total;
      for (std::size_t d = 0; d < size; ++d)
        sums[d] += weight * to_float(values_[cached(sequence, kv_head, position) + d]);
    }
    out.insert(out.end(), sums.begin(), sums.end());
  }

  CaseShape shape_;
  int blocks_per_table_ = 0;
  std::mt19937 random_{7};
  std::vector<std::int32_t> tables_;
  std::vector<T> q_, keys_, values_;
};

// What is wrong with the answer; empty: nothing.
template <class T>
std::string wrong(const Case<T>& problem) {
  const auto got = problem.run();
  if (!got) return got.error().message;
  const std::vector<double> expected = problem.expected();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(std::abs((*got)[i] - expected[i]) <= Case<T>::tolerance())) {
      return fmt::format("out[{}] is {}, not {}", i, (*got)[i], expected[i]);
    }
  }
  return {};
}

}  // namespace weft::model::cuda
