// Which file of a model directory is its tokenizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(FindSentencePiece, TakesEitherNameAndSaysWhatIsThereInstead) {
  const fs::path folder = fs::path(::testing::TempDir()) / "weft_find_sentencepiece";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto empty = find_sentencepiece(folder.string());
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().message, HasSubstr("holds no tokenizer: neither tokenizer.model nor spiece.model"));
  std::ofstream(folder / "vocab.json") << "{}";
  const auto byte_level = find_sentencepiece(folder.string());
  ASSERT_FALSE(byte_level);
  EXPECT_THAT(byte_level.error().message, HasSubstr("vocab.json is not read yet"));
  std::ofstream(folder / "spiece.model") << "x";
  EXPECT_EQ(*find_sentencepiece(folder.string()), (folder / "spiece.model").string());
  std::ofstream(folder / "tokenizer.model") << "x";
  EXPECT_EQ(*find_sentencepiece(folder.string()), (folder / "tokenizer.model").string());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace weft::model
