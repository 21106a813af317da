#include "adapters/train/row_sampler.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "tests/support/byte_tokenizer.h"

namespace weft::adapters {
namespace {

using test::ByteTokenizer;

class RowSamplerTest : public testing::Test {
 protected:
  // Documents of different lengths, each of one letter, so that a row shows whose text it holds.
  void SetUp() override {
    prefix_ = testing::TempDir() + "/rows_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    auto writer = IndexedDatasetWriter::create(prefix_);
    ASSERT_TRUE(writer);
    for (const auto& [letter, length] : lengths_) {
      std::vector<std::uint16_t> tokens(length, static_cast<std::uint16_t>(letter));
      tokens.push_back(static_cast<std::uint16_t>(ByteTokenizer::kEndOfText.value()));
      ASSERT_TRUE(writer->add(tokens));
    }
    ASSERT_TRUE(writer->finish());
    auto opened = IndexedDataset::open(prefix_);
    ASSERT_TRUE(opened);
    data_ = std::make_unique<IndexedDataset>(*std::move(opened));
  }
  void TearDown() override {
    for (const char* end : {".bin", ".idx"}) std::filesystem::remove(prefix_ + end);
  }
  RowSampler sampler(double fim_rate, RowSamplerState state = {}) const {
    return {*data_, tokenizer_, *find_fim_tokens(tokenizer_), {128, fim_rate, 0.5, 7}, state};
  }

  std::map<char, std::size_t> lengths_{{'a', 40}, {'b', 90}, {'c', 300}, {'d', 61}, {'e', 200}};
  ByteTokenizer tokenizer_;
  std::string prefix_;
  std::unique_ptr<IndexedDataset> data_;
};

TEST_F(RowSamplerTest, RowsAreFullAndTargetsAreTheNextTokensOfTheSameDocument) {
  RowSampler rows = sampler(0.0);
  for (int round = 0; round < 20; ++round) {
    const RowBatch batch = rows.next(3);
    ASSERT_EQ(batch.ids.size(), 3U * 128U);
    std::size_t scored = 0;
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
      if (batch.targets[i] == RowBatch::kIgnored) continue;
      ++scored;
      ASSERT_NE(i % 128, 127U);
      ASSERT_EQ(batch.targets[i], batch.ids[i + 1]);
      ASSERT_EQ(batch.documents[i], batch.documents[i + 1]);
      ASSERT_EQ(batch.positions[i] + 1, batch.positions[i + 1]);
    }
    EXPECT_EQ(scored, batch.scored);
  }
}

TEST_F(RowSamplerTest, AnEpochHoldsNearlyAllText) {
  RowSampler rows = sampler(0.0);
  std::map<std::int64_t, std::size_t> seen;
  while (rows.state().epoch == 0) {
    const RowBatch batch = rows.next(1);
    for (std::size_t i = 0; i < batch.ids.size(); ++i) seen[batch.ids[i]] += batch.documents[i] >= 0 ? 1 : 0;
  }
  for (const auto& [letter, length] : lengths_) EXPECT_GE(seen[letter] + 31, length) << letter;
}

// A step whose rows all come from one long document learns little about the others.
TEST_F(RowSamplerTest, NeighbouringRowsComeFromDifferentDocuments) {
  RowSampler rows = sampler(0.0);
  std::size_t same = 0, pairs = 0;
  std::int64_t last = -1;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t letter = rows.next(1).ids[0];
    same += letter == last ? 1 : 0;
    ++pairs;
    last = letter;
  }
  // In file order a row's neighbour is of its own document in about two of three cases.
  EXPECT_LT(same * 2, pairs);
}

TEST_F(RowSamplerTest, EpochsDifferInOrder) {
  RowSampler rows = sampler(0.0);
  std::map<std::uint64_t, std::vector<std::int64_t>> first_ids;
  while (rows.state().epoch < 6) {
    const std::uint64_t epoch = rows.state().epoch;
    const RowBatch batch = rows.next(1);
    first_ids[epoch].push_back(batch.ids[0]);
  }
  EXPECT_NE(first_ids[0], first_ids[1]);
}

TEST_F(RowSamplerTest, ASavedStateGivesTheSameRows) {
  RowSampler whole = sampler(0.7);
  for (int i = 0; i < 9; ++i) (void)whole.next(2);
  RowSampler resumed = sampler(0.7, whole.state());
  for (int i = 0; i < 9; ++i) {
    const RowBatch a = whole.next(2), b = resumed.next(2);
    ASSERT_EQ(a.ids, b.ids);
    ASSERT_EQ(a.targets, b.targets);
    ASSERT_EQ(a.documents, b.documents);
  }
}

TEST_F(RowSamplerTest, TheShareOfCutPiecesIsTheRate) {
  RowSampler rows = sampler(0.5);
  std::size_t pieces = 0, cut = 0;
  for (int i = 0; i < 400; ++i) {
    const RowBatch batch = rows.next(1);
    for (std::size_t k = 0; k < batch.ids.size(); ++k) {
      if (batch.positions[k] != 0 || batch.documents[k] < 0) continue;
      ++pieces;
      cut += batch.ids[k] == ByteTokenizer::kFimPrefix.value() ? 1 : 0;
    }
  }
  const double share = static_cast<double>(cut) / static_cast<double>(pieces);
  EXPECT_GT(share, 0.4);
  EXPECT_LT(share, 0.6);
}

}  // namespace
}  // namespace weft::adapters
