// What the ranks of a model ask of NCCL: on GPUs the ranks hang, or add what does not belong together, unless all of
// them call the same collectives, in the same order, with equal sizes. Rank by rank against the stand-in, every family.
#include <gtest/gtest.h>

#include "model/load_runner.h"
#include "model/parallel/nccl_communicator.h"
#include "tests/support/nccl/nccl_stand_in.h"
#include "tests/unit/model/parallel/group_fixture.h"

namespace weft::test {
namespace {

using model::DType;

std::string shown(const NcclCall& call) {
  const std::string_view type = call.type == ncclFloat32 ? "fp32" : call.type == ncclBfloat16 ? "bf16" : "fp16";
  switch (call.kind) {
    case NcclCall::Kind::kAllReduce:
      return fmt::format("{} {} {}", call.operation == ncclSum ? "sum" : "other reduction", call.count, type);
    case NcclCall::Kind::kAllGather:
      return fmt::format("gather {} {}", call.count, type);
    default:
      return fmt::format("call {}", static_cast<int>(call.kind));
  }
}

// What the rank asks for while it loads its share, prefills seven tokens and decodes one.
std::vector<std::string> collectives(const std::string& directory, DType dtype, Rank rank, int ranks) {
  NcclStandIn::instance().reset();
  auto joined = model::NcclCommunicator::join({*model::new_nccl_id(), rank, ranks, [] { return nullptr; }});
  EXPECT_TRUE(joined);
  const auto config = model::read_model_config(directory);
  EXPECT_TRUE(config);
  const auto runner = model::load_runner(*config, load_options(directory, dtype), *std::move(joined));
  EXPECT_TRUE(runner) << runner.error().message;
  for (const auto& step : {part(1, 0, tokens_of({5, 17, 89, 3, 64, 12, 95})), part(1, 7, tokens_of({42}))}) {
    const auto done = (*runner)->step({.sequences = {step}});
    EXPECT_TRUE(done) << done.error().message;
  }
  std::vector<std::string> out;
  for (const NcclCall& call : NcclStandIn::instance().calls()) {
    if (call.kind != NcclCall::Kind::kInit) out.push_back(shown(call));
  }
  return out;
}

class NcclCollectives : public testing::TestWithParam<FamilyCase> {
 protected:
  void expect_equal_on_all_ranks(DType dtype) const {
    const std::vector<std::string> first = collectives(directory_, dtype, Rank(0), GetParam().ranks);
    EXPECT_FALSE(first.empty());
    for (int rank = 1; rank < GetParam().ranks; ++rank) {
      EXPECT_EQ(collectives(directory_, dtype, Rank(rank), GetParam().ranks), first) << "rank " << rank;
    }
  }

  const std::string directory_ = golden_directory(GetParam().family);
};

TEST_P(NcclCollectives, AreTheSameOnAllRanks) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) expect_equal_on_all_ranks(dtype);
}

INSTANTIATE_TEST_SUITE_P(Ranks, NcclCollectives, testing::ValuesIn(cases_of(all_families())), family_name);

// Sums of the embedding and twice a layer, and the gathered logits: in fp32 whatever the weights are in.
class NcclCollectivesOfDecoders : public NcclCollectives {};

TEST_P(NcclCollectivesOfDecoders, AreTwoSumsALayer) {
  const auto config = model::read_model_config(directory_);
  ASSERT_TRUE(config);
  std::vector<std::string> expected;
  for (const int tokens : {7, 1}) {
    const std::string sum = fmt::format("sum {} fp32", tokens * config->hidden);
    expected.insert(expected.end(), static_cast<std::size_t>(1 + 2 * config->layers), sum);
    const int share = (config->vocabulary + GetParam().ranks - 1) / GetParam().ranks;
    expected.push_back(fmt::format("gather {} fp32", share));
  }
  for (const DType dtype : {DType::kFloat32, DType::kInt8}) {
    for (int rank = 0; rank < GetParam().ranks; ++rank) {
      EXPECT_EQ(collectives(directory_, dtype, Rank(rank), GetParam().ranks), expected) << "rank " << rank;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, NcclCollectivesOfDecoders, testing::ValuesIn(cases_of(decoders())), family_name);

// What ranks have in unequal parts: the last has padding in place of tokens.
TEST(NcclCollectivesOfAVocabulary, ThatRanksDoNotDivideAreTheSameOnAllRanks) {
  const std::string directory = write_tiny_model(261);
  const std::vector<std::string> first = collectives(directory, DType::kFloat32, Rank(0), 4);
  for (int rank = 1; rank < 4; ++rank) EXPECT_EQ(collectives(directory, DType::kFloat32, Rank(rank), 4), first);
}

}  // namespace
}  // namespace weft::test
