// What the families' models hold, and that a group of ranks holds each of them once.
#include "model/config/weight_specs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/model/config/published_models.h"

namespace weft::model {
namespace {

using test::PublishedModel;
using testing::HasSubstr;

class Published : public testing::TestWithParam<PublishedModel> {
 protected:
  [[nodiscard]] ModelConfig config() const {
    auto parsed = parse_model_config(GetParam().config, GetParam().name);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return *std::move(parsed);
  }
};

TEST_P(Published, HasTheParametersThatItIsKnownFor) {
  EXPECT_NEAR(static_cast<double>(config().parameters()) / 1e9, GetParam().parameters, 0.004 * GetParam().parameters);
}

TEST_P(Published, ComesBackFromItsOwnJson) {
  const ModelConfig first = config();
  const std::string written = to_json(first);
  const auto second = parse_model_config(written, "elsewhere");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(to_json(*second), written);
  EXPECT_EQ(second->rotary, first.rotary);
  EXPECT_EQ(second->layer_configs, first.layer_configs);
  EXPECT_EQ(second->experts, first.experts);
  EXPECT_EQ(second->parameters(), first.parameters());
}

TEST_P(Published, HasEachTensorUnderOneName) {
  std::map<std::string, std::int64_t> rows;  // by tensor, of its parts together
  for (const WeightSpec& spec : weight_specs(config())) {
    EXPECT_TRUE(spec.first_row >= 0 && spec.first_row + spec.shape.front() <= spec.rows) << spec.name;
    EXPECT_EQ(rows[spec.tensor], spec.first_row) << spec.name;  // parts follow one another
    rows[spec.tensor] += spec.shape.front();
  }
  for (const WeightSpec& spec : weight_specs(config())) EXPECT_EQ(rows[spec.tensor], spec.rows) << spec.tensor;
}

// By every tensor and number of ranks: the slices lie within it, are equally long once padded, and cover it once, or,
// for what is held by several, equally often.
TEST_P(Published, IsHeldOnceByAGroup) {
  const ModelConfig model = config();
  for (const int ranks : {1, 2, 4, 8}) {
    const auto plan = ShardPlan::make(ranks, sharded_sizes(model));
    if (!plan) {
      EXPECT_THAT(plan.error().message, HasSubstr("do not divide evenly"));
      continue;
    }
    for (const WeightSpec& spec : weight_specs(model)) {
      std::vector<int> owners;
      std::int64_t length = -1;
      for (int rank = 0; rank < ranks; ++rank) {
        const ShardSlice slice = plan->slice(spec.shard, spec.shape, Rank(rank));
        const std::int64_t whole = spec.shape[static_cast<std::size_t>(slice.dimension)];
        ASSERT_TRUE(slice.begin >= 0 && slice.length >= 0 && slice.begin + slice.length <= whole) << spec.name;
        ASSERT_TRUE(length < 0 || length == slice.padded_length()) << spec.name;
        length = slice.padded_length();
        owners.resize(static_cast<std::size_t>(whole));
        for (std::int64_t i = 0; i < slice.length; ++i) ++owners[static_cast<std::size_t>(slice.begin + i)];
        const std::vector<std::int64_t> stored = spec.stored_shape();
        const ShardSlice there = spec.stored(slice);
        ASSERT_LE(there.begin + there.length, stored[static_cast<std::size_t>(there.dimension)]) << spec.name;
      }
      const bool whole = spec.shard == Shard::kNone;
      const bool replicated = spec.shard == Shard::kKvRows && model.kv_heads < ranks;
      const int expected = whole ? ranks : replicated ? ranks / model.kv_heads : 1;
      ASSERT_TRUE(std::ranges::all_of(owners, [&](int count) { return count == expected; }))
          << spec.name << " over " << ranks;
    }
  }
}

// int8 gives 64 activations a scale, and int4 most often as many weights: ranks have the same groups as one process,
// but for two models whose MLPs have 86 and 129 groups.
TEST_P(Published, SharesOfInputFeaturesAreWholeGroups) {
  const ModelConfig model = config();
  if (model.encoder) return;  // has neither
  const std::map<std::string, int> uneven_from{{"DeepSeek-Coder-1.3B", 4}, {"Mellum-4B", 2}};
  for (const int ranks : {2, 4}) {
    const auto plan = ShardPlan::make(ranks, sharded_sizes(model));
    if (!plan) continue;
    bool whole = true;
    for (const WeightSpec& spec : weight_specs(model)) {
      if (spec.shard == Shard::kColumns) whole &= plan->slice(spec.shard, spec.shape, Rank(1)).begin % 64 == 0;
    }
    const auto uneven = uneven_from.find(GetParam().name);
    EXPECT_EQ(whole, uneven == uneven_from.end() || ranks < uneven->second) << ranks;
  }
}

std::string test_name(const testing::TestParamInfo<PublishedModel>& info) {
  std::string out;
  for (const char c : info.param.name) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out;
}

INSTANTIATE_TEST_SUITE_P(Models, Published, testing::ValuesIn(test::published_models()), test_name);

TEST(AdaptableLinears, AreThoseOfTheCheckpoint) {
  const auto config = read_model_config(std::string(WEFT_SOURCE_DIR) + "/tests/parity/golden/gpt_bigcode");
  ASSERT_TRUE(config);
  const std::vector<AdaptableLinear> linears = adaptable_linears(*config);
  ASSERT_EQ(linears.size(), 8U);
  EXPECT_EQ(linears[0].module, "transformer.h.0.attn.c_attn");
  EXPECT_EQ(linears[0].in, 64);
  EXPECT_EQ(linears[0].out, 64 + 2 * 16);  // one head of keys and values
  ASSERT_EQ(linears[0].parts.size(), 3U);
  EXPECT_EQ(linears[0].parts[1].module(), "transformer.h.0.attn.c_attn#k");
  EXPECT_EQ(linears[0].parts[1].first_row, 64);
  EXPECT_EQ(linears[0].parts[2].first_row, 64 + 16);
  EXPECT_EQ(linears[3].module, "transformer.h.0.mlp.c_proj");
  EXPECT_EQ(linears[3].in, 96);
  EXPECT_EQ(linears[3].parts.size(), 1U);
}

TEST(Experts, AreDealtOutWhole) {
  for (const int count : {0, 1, 5, 6, 128}) {
    for (const int ranks : {1, 2, 4, 8}) {
      int next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto [begin, end] = share_of_experts(count, Rank(rank), ranks);
        EXPECT_EQ(begin, next);
        EXPECT_GE(end, begin);
        next = end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace weft::model
