#include "model/kernels/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "model/kernels/thread_pool.h"
#include "model/weights/half.h"
#include "tests/unit/model/kernels/quantize.h"

namespace weft::model {
namespace {

struct Case {
  std::int64_t heads, kv_heads, dim, block_tokens, window;
  std::vector<std::pair<std::int64_t, std::int64_t>> past_and_tokens;
};

const std::vector<Case> kCases = {
    {14, 2, 64, 16, 0, {{0, 1}}},
    {14, 2, 64, 16, 0, {{700, 4}, {0, 33}, {65, 1}}},
    {12, 2, 128, 32, 0, {{1100, 1}, {63, 2}}},
    {3, 3, 80, 7, 0, {{20, 5}, {600, 3}}},
    {4, 1, 96, 24, 100, {{511, 2}, {0, 150}, {1300, 9}}},
    {6, 2, 256, 64, 0, {{70, 17}}},
    {5, 5, 5, 3, 4, {{30, 3}, {0, 20}}},
    {70, 1, 8, 16, 0, {{10, 2}}},
    {4, 2, 33, 16, 513, {{1500, 2}, {0, 1}}},
};

// A step over sequences whose keys and values are random; what no token may read is NaN.
struct Step {
  Step(const Case& c, KvFormat format) : shape(c), layout{format, c.kv_heads, c.dim, c.block_tokens} {
    unsigned seed = 1;
    for (const auto& [past, tokens] : c.past_and_tokens) {
      const auto blocks = static_cast<std::size_t>((past + tokens + c.block_tokens - 1) / c.block_tokens);
      const auto numbers = static_cast<std::size_t>(c.kv_heads * c.block_tokens * c.dim);
      storage.emplace_back(2 * blocks, std::vector<float>(numbers, std::numeric_limits<float>::quiet_NaN()));
      tokens_in_step += tokens;
      for (std::vector<float>* const held : {&keys.emplace_back(), &values.emplace_back()}) {
        *held = random_floats(static_cast<std::size_t>((past + tokens) * c.kv_heads * c.dim), seed++);
      }
    }
    for (std::size_t s = 0; s < storage.size(); ++s) {
      std::vector<void*>& table = pointers.emplace_back();
      for (std::vector<float>& block : storage[s]) table.push_back(block.data());
      const std::size_t half = table.size() / 2;
      const auto& [past, tokens] = c.past_and_tokens[s];
      sequences.push_back({.past = past,
                           .tokens = tokens,
                           .keys = std::span(pointers.back()).first(half),
                           .values = std::span(pointers.back()).last(half)});
      // Everything is stored as a step stores it.
      SequenceBlocks whole = sequences.back();
      whole.tokens += whole.past;
      whole.past = 0;
      SerialWorkers workers;
      store_kv({.isa = Isa::kReference, .workers = &workers}, layout, std::span(&whole, 1),
               {.data = keys[s].data(), .stride = c.kv_heads * c.dim},
               {.data = values[s].data(), .stride = c.kv_heads * c.dim});
    }
    q = random_floats(static_cast<std::size_t>(tokens_in_step * c.heads * c.dim), 99);
  }

  [[nodiscard]] std::vector<float> attend_by(Isa isa, Workers& workers) const {
    std::vector<float> out(q.size(), -5.0F);
    const AttentionOptions options{
        .query_heads = shape.heads, .scale = 1.0F / std::sqrt(static_cast<float>(shape.dim)), .window = shape.window};
    attend({.isa = isa, .workers = &workers}, layout, options, sequences,
           {.data = q.data(), .stride = shape.heads * shape.dim}, out.data(), shape.heads * shape.dim);
    return out;
  }

  // The definition, in double.
  [[nodiscard]] std::vector<double> expected() const {
    std::vector<double> out;
    std::int64_t at = 0;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (std::int64_t token = 0; token < sequences[s].tokens; ++token, ++at) {
        for (std::int64_t head = 0; head < shape.heads; ++head) {
          const std::vector<double> row = expected_row(s, sequences[s].past + token, at, head);
          out.insert(out.end(), row.begin(), row.end());
        }
      }
    }
    return out;
  }

  [[nodiscard]] float held(const std::vector<float>& numbers, std::int64_t at) const {
    const float value = numbers[static_cast<std::size_t>(at)];
    return layout.format == KvFormat::kFloat32 ? value : to_float(to_bf16(value));
  }

  [[nodiscard]] std::vector<double> expected_row(std::size_t s, std::int64_t position, std::int64_t at,
                                                 std::int64_t head) const {
    const std::int64_t kv_head = head / (shape.heads / shape.kv_heads);
    const std::int64_t first = shape.window > 0 ? std::max<std::int64_t>(0, position - shape.window + 1) : 0;
    std::vector<double> out(static_cast<std::size_t>(shape.dim));
    double total = 0;
    for (std::int64_t key = first; key <= position; ++key) {
      double score = 0;
      const std::int64_t key_at = (key * shape.kv_heads + kv_head) * shape.dim;
      for (std::int64_t d = 0; d < shape.dim; ++d) {
        score +=
            double{q[static_cast<std::size_t>((at * shape.heads + head) * shape.dim + d)]} * held(keys[s], key_at + d);
      }
      const double weight = std::exp(score / std::sqrt(static_cast<double>(shape.dim)));
      total += weight;
      for (std::int64_t d = 0; d < shape.dim; ++d) {
        out[static_cast<std::size_t>(d)] += weight * held(values[s], key_at + d);
      }
    }
    for (double& value : out) value /= total;
    return out;
  }

  Case shape;
  KvLayout layout;
  std::vector<std::vector<std::vector<float>>> storage;  // sequence, block of keys and then of values
  std::vector<std::vector<void*>> pointers;
  std::vector<SequenceBlocks> sequences;
  std::vector<std::vector<float>> keys, values;  // [tokens, Hk, D]
  std::vector<float> q;
  std::int64_t tokens_in_step = 0;
};

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
  return out;
}

TEST(Attention, IsTheSoftmaxOfItsDefinition) {
  SerialWorkers serial;
  ThreadPool two(2);
  for (const KvFormat format : {KvFormat::kFloat32, KvFormat::kBFloat16}) {
    for (const Case& c : kCases) {
      const Step step(c, format);
      const std::vector<double> expected = step.expected();
      for (const Isa isa : isas_up_to(detect_isa())) {
        for (Workers* const workers : {static_cast<Workers*>(&serial), static_cast<Workers*>(&two)}) {
          const std::vector<float> out = step.attend_by(isa, *workers);
          ASSERT_EQ(out.size(), expected.size());
          double worst = 0;
          for (std::size_t i = 0; i < out.size(); ++i) {
            ASSERT_FALSE(std::isnan(out[i])) << isa_name(isa) << ", head size " << c.dim << ", entry " << i;
            worst = std::max(worst, std::fabs(out[i] - expected[i]));
          }
          EXPECT_LT(worst, 5e-6) << isa_name(isa) << ", " << c.heads << " heads of " << c.dim;
        }
      }
    }
  }
}

TEST(Attention, ThreadsDoNotChangeBits) {
  SerialWorkers serial;
  ThreadPool two(2), three(3);
  for (const Case& c : kCases) {
    const Step step(c, KvFormat::kBFloat16);
    for (const Isa isa : isas_up_to(detect_isa())) {
      const auto alone = bits(step.attend_by(isa, serial));
      EXPECT_EQ(bits(step.attend_by(isa, two)), alone);
      EXPECT_EQ(bits(step.attend_by(isa, three)), alone);
    }
  }
}

// A prompt in one step, or its last tokens in a step each.
TEST(Attention, HowASequenceIsCutIntoStepsDoesNotChangeBits) {
  SerialWorkers workers;
  for (const std::int64_t window : {0, 300}) {
    const Step whole({6, 2, 64, 16, window, {{0, 700}}}, KvFormat::kFloat32);
    for (const Isa isa : isas_up_to(detect_isa())) {
      const std::vector<float> all = whole.attend_by(isa, workers);
      for (const std::int64_t tokens : {1, 5, 150}) {
        Step part = Step({6, 2, 64, 16, window, {{700 - tokens, tokens}}}, KvFormat::kFloat32);
        const auto numbers = static_cast<std::ptrdiff_t>(tokens * 6 * 64);
        part.q.assign(whole.q.end() - numbers, whole.q.end());
        EXPECT_EQ(bits(part.attend_by(isa, workers)), bits({all.end() - numbers, all.end()}));
      }
    }
  }
}

TEST(Attention, NoTokensIsNoWork) {
  SerialWorkers workers;
  const SequenceBlocks none;
  attend({.isa = detect_isa(), .workers = &workers}, {KvFormat::kFloat32, 1, 8, 16}, {.query_heads = 1, .scale = 1},
         std::span(&none, 1), {}, nullptr, 8);
}

}  // namespace
}  // namespace weft::model
