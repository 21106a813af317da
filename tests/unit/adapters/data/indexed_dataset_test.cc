#include "adapters/data/indexed_dataset.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::adapters {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class IndexedDatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("indexed_") + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    prefix_ = (folder_ / "train").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::vector<std::vector<std::uint16_t>>& documents) const {
    auto writer = IndexedDatasetWriter::create(prefix_);
    ASSERT_TRUE(writer) << writer.error().message;
    for (const auto& document : documents) ASSERT_TRUE(writer->add(document));
    ASSERT_TRUE(writer->finish());
  }
  std::string bytes_of(const std::string& ending) const {
    std::ifstream file(prefix_ + ending, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void replace(const std::string& ending, const std::string& bytes) const {
    std::ofstream(prefix_ + ending, std::ios::binary) << bytes;
  }
  std::string error_of_open() const {
    const auto dataset = IndexedDataset::open(prefix_);
    return dataset ? "" : dataset.error().message;
  }

  std::filesystem::path folder_;
  std::string prefix_;
};

TEST_F(IndexedDatasetTest, ReadsBackWhatWasWritten) {
  write({{1, 2, 3}, {}, {65535}});
  const auto dataset = IndexedDataset::open(prefix_);
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(dataset->documents(), 3u);
  EXPECT_EQ(dataset->total_tokens(), 4u);
  EXPECT_THAT(dataset->tokens(0), ElementsAre(1, 2, 3));
  EXPECT_THAT(dataset->tokens(1), IsEmpty());
  EXPECT_THAT(dataset->tokens(2), ElementsAre(65535));
}

TEST_F(IndexedDatasetTest, AnEmptySetHasNoDocuments) {
  write({});
  const auto dataset = IndexedDataset::open(prefix_);
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(dataset->documents(), 0u);
  EXPECT_EQ(dataset->total_tokens(), 0u);
}

// The bytes that Megatron-LM's own reader expects for the documents [7, 8] and [9].
TEST_F(IndexedDatasetTest, WritesMegatronsLayout) {
  write({{7, 8}, {9}});
  std::string expected("MMIDIDX\0\0", 9);
  const auto append = [&expected](auto value) {
    expected.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  append(std::uint64_t{1});
  append(std::uint8_t{8});
  append(std::uint64_t{2});
  append(std::uint64_t{3});
  for (const std::int32_t size : {2, 1}) append(size);
  for (const std::int64_t pointer : {0, 4}) append(pointer);
  for (const std::int64_t document : {0, 1, 2}) append(document);
  EXPECT_EQ(bytes_of(".idx"), expected);
  EXPECT_EQ(bytes_of(".bin"), std::string("\7\0\10\0\11\0", 6));
}

TEST_F(IndexedDatasetTest, EveryTruncationOfTheIndexIsAnError) {
  write({{7, 8}, {9}});
  const std::string whole = bytes_of(".idx");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    replace(".idx", whole.substr(0, size));
    EXPECT_NE(error_of_open(), "") << "with " << size << " bytes";
  }
}

TEST_F(IndexedDatasetTest, ATruncatedTokenFileIsAnError) {
  write({{7, 8}, {9}});
  replace(".bin", std::string("\7\0\10\0", 4));
  EXPECT_THAT(error_of_open(), HasSubstr("sequence 1 has 1 tokens"));
}

TEST_F(IndexedDatasetTest, AnImpossibleCountIsAnErrorAndNotAnAllocation) {
  write({{7, 8}});
  std::string bytes = bytes_of(".idx");
  std::memset(bytes.data() + 18, 0xff, 8);
  replace(".idx", bytes);
  EXPECT_THAT(error_of_open(), HasSubstr("truncated"));
}

TEST_F(IndexedDatasetTest, OtherTokenTypesAreRefused) {
  write({{7, 8}});
  std::string bytes = bytes_of(".idx");
  bytes[17] = 4;
  replace(".idx", bytes);
  EXPECT_THAT(error_of_open(), HasSubstr("expected token type 8 (uint16), file has 4"));
}

TEST_F(IndexedDatasetTest, PointersThatLeaveTheFileAreAnError) {
  write({{7, 8}, {9}});
  std::string bytes = bytes_of(".idx");
  bytes[34 + 8 + 8 + 1] = 1;  // the second sequence's pointer
  replace(".idx", bytes);
  EXPECT_THAT(error_of_open(), HasSubstr("sequence 1 lies at byte 260, expected 4"));
}

TEST_F(IndexedDatasetTest, AnUnfinishedWriterLeavesNothing) {
  {
    auto writer = IndexedDatasetWriter::create(prefix_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->add(std::vector<std::uint16_t>{1, 2}));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(IndexedDatasetTest, AFolderThatIsNotThereIsNamed) {
  const auto writer = IndexedDatasetWriter::create((folder_ / "missing" / "train").string());
  ASSERT_FALSE(writer);
  EXPECT_THAT(writer.error().message, HasSubstr("missing/train.bin"));
}

}  // namespace
}  // namespace weft::adapters
