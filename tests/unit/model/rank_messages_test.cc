// What ranks are told survives the way, and what is cut off is refused.
#include "model/rank_messages.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

StepPlan sample_plan() {
  StepPlan plan;
  plan.sequences.push_back({.sequence = SequenceId(7),
                            .start = Position(3),
                            .tokens = {TokenId(1), TokenId(-2), TokenId(8191)},
                            .logits = 0,
                            .adapter = AdapterId(2)});
  plan.sequences.push_back({.sequence = SequenceId(1ULL << 40), .start = Position(0), .tokens = {TokenId(5)}});
  plan.released = {SequenceId(4)};
  plan.forks = {{SequenceId(7), SequenceId(9), Position(3)}};
  return plan;
}

std::shared_ptr<const LoraAdapter> sample_adapter() {
  LoraAdapter adapter{.name = "bug-detection", .deltas = {}};
  adapter.deltas.push_back({.module = "model.layers.0.self_attn.q_proj",
                            .rank = 1,
                            .in = 2,
                            .out = 3,
                            .scaling = 0.5,
                            .a = {1.5F, -2},
                            .b = {0, 1, 2}});
  adapter.deltas.push_back({.module = "m", .rank = 0, .in = 0, .out = 0, .scaling = 2, .a = {}, .b = {}});
  return std::make_shared<const LoraAdapter>(std::move(adapter));
}

template <class T>
T there_and_back(const T& message) {
  const auto bytes = encode(message);
  auto decoded = decode(bytes);
  EXPECT_TRUE(decoded) << decoded.error().message;
  EXPECT_TRUE(std::holds_alternative<T>(*decoded));
  return std::get<T>(*decoded);
}

TEST(RankMessages, Plan) {
  const StepPlan sent = sample_plan(), got = there_and_back(sent);
  ASSERT_EQ(got.sequences.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got.sequences[i].sequence, sent.sequences[i].sequence);
    EXPECT_EQ(got.sequences[i].start, sent.sequences[i].start);
    EXPECT_EQ(got.sequences[i].tokens, sent.sequences[i].tokens);
    EXPECT_EQ(got.sequences[i].logits, sent.sequences[i].logits);
    EXPECT_EQ(got.sequences[i].adapter, sent.sequences[i].adapter);
  }
  EXPECT_EQ(got.released, sent.released);
  ASSERT_EQ(got.forks.size(), 1U);
  EXPECT_EQ(got.forks[0].from, SequenceId(7));
  EXPECT_EQ(got.forks[0].to, SequenceId(9));
  EXPECT_EQ(got.forks[0].length, Position(3));
}

TEST(RankMessages, AdapterAndStart) {
  const auto adapter = sample_adapter();
  const InstallAdapter got = there_and_back(InstallAdapter{AdapterId(3), adapter});
  EXPECT_EQ(got.id, AdapterId(3));
  EXPECT_EQ(got.adapter->name, "bug-detection");
  ASSERT_EQ(got.adapter->deltas.size(), 2U);
  const LoraDelta &sent = adapter->deltas[0], &first = got.adapter->deltas[0];
  EXPECT_EQ(first.module, sent.module);
  EXPECT_EQ(first.rank, 1);
  EXPECT_EQ(first.in, 2);
  EXPECT_EQ(first.out, 3);
  EXPECT_EQ(first.scaling, 0.5);
  EXPECT_EQ(first.a, sent.a);
  EXPECT_EQ(first.b, sent.b);
  EXPECT_EQ(there_and_back(RemoveAdapter{AdapterId(3)}).id, AdapterId(3));
  const StartRank start = there_and_back(StartRank{"/a folder", DType::kBFloat16, 3});
  EXPECT_EQ(start.directory, "/a folder");
  EXPECT_EQ(start.dtype, DType::kBFloat16);
  EXPECT_EQ(start.threads, 3);
}

TEST(RankMessages, EveryCutIsRefused) {
  for (const RankMessage& message :
       {RankMessage(sample_plan()), RankMessage(InstallAdapter{AdapterId(3), sample_adapter()})}) {
    const auto bytes = encode(message);
    for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
      EXPECT_FALSE(decode(std::span(bytes).first(kept))) << kept;
    }
    auto longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(decode(longer));
  }
  EXPECT_FALSE(decode(std::vector<std::byte>{std::byte{200}}));
}

}  // namespace
}  // namespace weft::model
