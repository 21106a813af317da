// Sequences that share blocks against sequences that are copied whole.
#include "model/layers/kv_blocks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace weft::model {
namespace {

constexpr int kLayers = 3;
constexpr KvLayout kLayout{KvFormat::kFloat32, /*kv_heads=*/2, /*head_dim=*/3, /*block_tokens=*/4};

// What stands at a token: a number for each layer, half, head and feature, made of one mark.
float number(std::int64_t mark, int layer, int half, std::int64_t head, std::int64_t feature) {
  return static_cast<float>(mark * 1000 + layer * 100 + half * 50 + head * 10 + feature);
}

template <class Visit>
void each_number(const KvBlocks& kv, std::int64_t tokens, std::int64_t position, const Visit& visit) {
  for (int layer = 0; layer < kLayers; ++layer) {
    const SequenceBlocks blocks = kv.extend(layer, tokens);
    for (int half = 0; half < 2; ++half) {
      auto* block = static_cast<float*>(
          (half == 0 ? blocks.keys : blocks.values)[static_cast<std::size_t>(position / kLayout.block_tokens)]);
      for (std::int64_t head = 0; head < kLayout.kv_heads; ++head) {
        for (std::int64_t feature = 0; feature < kLayout.head_dim; ++feature) {
          const std::int64_t row = head * kLayout.block_tokens + position % kLayout.block_tokens;
          visit(block[row * kLayout.head_dim + feature], layer, half, head, feature);
        }
      }
    }
  }
}

void write(KvBlocks& kv, const std::vector<std::int64_t>& marks) {
  const auto tokens = static_cast<std::int64_t>(marks.size());
  kv.reserve(tokens);
  for (std::int64_t i = 0; i < tokens; ++i) {
    each_number(kv, tokens, kv.length() + i,
                [&](float& at, int layer, int half, std::int64_t head, std::int64_t feature) {
                  at = number(marks[static_cast<std::size_t>(i)], layer, half, head, feature);
                });
  }
  kv.commit(tokens);
}

void expect_holds(const KvBlocks& kv, const std::vector<std::int64_t>& marks) {
  ASSERT_EQ(kv.length(), static_cast<std::int64_t>(marks.size()));
  for (std::int64_t i = 0; i < kv.length(); ++i) {
    each_number(kv, 0, i, [&](float at, int layer, int half, std::int64_t head, std::int64_t feature) {
      ASSERT_EQ(at, number(marks[static_cast<std::size_t>(i)], layer, half, head, feature)) << "token " << i;
    });
  }
}

TEST(KvBlocks, WhoWritesBehindAForkDoesSoAlone) {
  KvPool pool(kLayers, kLayout, 10);
  KvBlocks one(pool);
  write(one, {1, 2, 3, 4, 5, 6});
  KvBlocks two = one.first(5);
  EXPECT_EQ(pool.used_blocks(), 2U);
  write(two, {7});
  EXPECT_EQ(pool.used_blocks(), 3U);  // the first is still shared
  write(one, {8});
  EXPECT_EQ(pool.used_blocks(), 3U);
  expect_holds(one, {1, 2, 3, 4, 5, 6, 8});
  expect_holds(two, {1, 2, 3, 4, 5, 7});
}

TEST(KvBlocks, AForkAtABlocksEndCopiesNothing) {
  KvPool pool(kLayers, kLayout, 10);
  KvBlocks one(pool);
  write(one, {1, 2, 3, 4});
  KvBlocks two = one.first(4);
  write(two, {5});
  write(one, {6});
  EXPECT_EQ(pool.used_blocks(), 3U);
  expect_holds(one, {1, 2, 3, 4, 6});
  expect_holds(two, {1, 2, 3, 4, 5});
}

TEST(KvBlocks, WithoutRoomWhatStoodStillStands) {
  KvPool pool(kLayers, kLayout, 2);
  KvBlocks one(pool);
  write(one, {1, 2, 3, 4, 5});
  EXPECT_EQ(pool.free_blocks(), 0U);
  EXPECT_THROW(one.reserve(4), KvExhausted);
  expect_holds(one, {1, 2, 3, 4, 5});
  write(one, {6, 7, 8});
  KvBlocks two = one.first(7);
  EXPECT_THROW(two.reserve(1), KvExhausted);  // its tail would have to be copied
  expect_holds(two, {1, 2, 3, 4, 5, 6, 7});
}

TEST(KvBlocks, RandomForksCutsAndWritesAreThoseOfCopies) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  KvPool pool(kLayers, kLayout, 400);
  {
    struct Held {
      KvBlocks kv;
      std::vector<std::int64_t> marks;
    };
    std::map<int, Held> held;
    int last = 0;
    std::int64_t mark = 0;
    for (int action = 0; action < 600; ++action) {
      if (held.empty() || (held.size() < 12 && below(6) == 0)) held.try_emplace(++last, Held{KvBlocks(pool), {}});
      const auto pick = std::next(held.begin(), static_cast<std::ptrdiff_t>(below(held.size())));
      Held& each = pick->second;
      switch (below(5)) {
        case 0: {
          const std::size_t length = below(each.marks.size() + 1);
          const std::vector<std::int64_t> begin(each.marks.begin(),
                                                each.marks.begin() + static_cast<std::ptrdiff_t>(length));
          if (held.size() < 12) {
            held.try_emplace(++last, Held{each.kv.first(static_cast<std::int64_t>(length)), begin});
          }
          break;
        }
        case 1: {
          const std::size_t length = below(each.marks.size() + 1);
          each.kv.truncate(static_cast<std::int64_t>(length));
          each.marks.resize(length);
          break;
        }
        case 2:
          if (held.size() > 8) held.erase(pick);
          break;
        default: {
          std::vector<std::int64_t> marks(1 + below(9));
          for (std::int64_t& one : marks) one = ++mark;
          if (each.marks.size() > 60) break;
          write(each.kv, marks);
          each.marks.insert(each.marks.end(), marks.begin(), marks.end());
        }
      }
      for (const auto& [id, sequence] : held) {
        expect_holds(sequence.kv, sequence.marks);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_EQ(pool.used_blocks(), 0U);
}

}  // namespace
}  // namespace weft::model
