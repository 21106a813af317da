// Tokenizers that others trained: text still comes back byte by byte, or the model is refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

class Lines final : public sentencepiece::SentenceIterator {
 public:
  [[nodiscard]] bool done() const override { return next_ >= lines_.size(); }
  void Next() override { ++next_; }
  [[nodiscard]] const std::string& value() const override { return lines_[next_]; }
  [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_ = {"The quick brown fox jumps over the lazy dog", "def read(path): return open(path)",
                                     "a value of 12345 and another of 67890"};
  std::size_t next_ = 0;
};

// As many Llama-like checkpoints have it: a space put in front, spaces squeezed, characters normalised.
std::string train(const std::string& name, const std::unordered_map<std::string, std::string>& changes) {
  std::unordered_map<std::string, std::string> arguments = {
      {"model_type", "bpe"},         {"vocab_size", "400"},
      {"byte_fallback", "true"},     {"normalization_rule_name", "nmt_nfkc"},
      {"add_dummy_prefix", "true"},  {"remove_extra_whitespaces", "true"},
      {"hard_vocab_limit", "false"}, {"num_threads", "1"},
      {"minloglevel", "2"}};
  for (const auto& [key, value] : changes) arguments[key] = value;
  Lines lines;
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments, &lines, &model);
  EXPECT_TRUE(status.ok()) << status.ToString();
  const std::string folder = ::testing::TempDir() + "weft_foreign_" + name;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/tokenizer.model", std::ios::binary) << model;
  return folder;
}

TEST(ForeignSentencePiece, IsReadWithoutItsNormalisation) {
  for (const char* type : {"bpe", "unigram"}) {
    const std::string folder = train(type, {{"model_type", type}, {"vocab_size", "330"}});
    const auto tokenizer = load_tokenizer(folder);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const std::string_view text : {"x", " x", "  two  spaces ", "return open(path)\n\n    \tﬁ ① é e\u0301",
                                        "\xFF\xE2\x96\x81", "<s></s><unk><0x41>"}) {
      EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text)), text) << type;
    }
    EXPECT_TRUE((*tokenizer)->control("<s>"));
    EXPECT_TRUE((*tokenizer)->control("</s>"));
    std::filesystem::remove_all(folder);
  }
}

TEST(ForeignSentencePiece, WithoutByteFallbackGivesTheUnknownTokenForWhatItLacks) {
  const std::string folder = train("no_bytes", {{"byte_fallback", "false"}, {"vocab_size", "80"}});
  const auto tokenizer = load_tokenizer(folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto ids = (*tokenizer)->encode("a\xFFz");
  EXPECT_EQ((*tokenizer)->decode(ids), "az");
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode("read path")), "read path");
  std::filesystem::remove_all(folder);
}

TEST(ForeignSentencePiece, PutsASpaceInFrontOfAStartAlone) {
  const std::string folder = train("start", {});
  const auto tokenizer = load_tokenizer(folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const Tokenizer& own = **tokenizer;
  EXPECT_EQ(own.decode(own.encode_start("return open(path)")), " return open(path)");
  EXPECT_EQ(own.decode(own.encode_start("two  spaces\u2460")), " two spaces1");
  EXPECT_EQ(own.encode_start("path"), own.encode(" path"));
  EXPECT_EQ(own.decode(own.encode_start("path\xFF  x")), " path\xFF  x");
  EXPECT_TRUE(own.encode_start("").empty());
  std::filesystem::remove_all(folder);
}

// As CodeGemma has it: pieces that the model always takes whole, of which some are control tokens.
TEST(ForeignSentencePiece, NeverGivesUserDefinedPiecesThatAreControlTokens) {
  const std::string folder =
      train("user_defined", {{"user_defined_symbols", "<|fim_prefix|>,<start>,<table>,\n\n"}, {"vocab_size", "420"}});
  const auto write = [&](const std::string& file, const std::string& text) {
    std::ofstream(folder + "/" + file) << text;
  };
  write("special_tokens_map.json", R"({"bos_token": "<s>", "additional_special_tokens": [{"content": "<start>"}]})");
  write("added_tokens.json", R"({"<pad>": 430})");
  const auto tokenizer = load_tokenizer(folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const Tokenizer& own = **tokenizer;
  for (const std::string name : {"<|fim_prefix|>", "<start>"}) {
    ASSERT_TRUE(own.control(name)) << name;
    EXPECT_EQ(own.bytes(*own.control(name)), "");
    for (const auto& ids : {own.encode("x" + name), own.encode_start(name)}) {
      EXPECT_EQ(std::count(ids.begin(), ids.end(), *own.control(name)), 0) << name;
    }
    EXPECT_EQ(own.decode(own.encode("x" + name)), "x" + name);
  }
  for (const std::string text : {"<table>", "\n\n"}) {
    EXPECT_FALSE(own.control(text)) << text;
    EXPECT_EQ(own.encode(text).size(), 1U) << text;
  }
  EXPECT_EQ(own.control("<pad>"), TokenId(430));
  EXPECT_EQ(own.vocabulary(), 431U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::model
