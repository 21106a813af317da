// Tokenizers that others trained: text still comes back byte by byte, or the model is refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

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
  const std::string path = ::testing::TempDir() + "weft_foreign_" + name;
  std::ofstream(path, std::ios::binary) << model;
  return path;
}

TEST(ForeignSentencePiece, IsReadWithoutItsNormalisation) {
  for (const char* type : {"bpe", "unigram"}) {
    const std::string path = train(type, {{"model_type", type}, {"vocab_size", "330"}});
    const auto tokenizer = load_sentencepiece(path);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const std::string_view text : {"x", " x", "  two  spaces ", "return open(path)\n\n    \tﬁ ① é e\u0301",
                                        "\xFF\xE2\x96\x81", "<s></s><unk><0x41>"}) {
      EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text)), text) << type;
    }
    EXPECT_TRUE((*tokenizer)->control("<s>"));
    EXPECT_TRUE((*tokenizer)->control("</s>"));
    std::filesystem::remove(path);
  }
}

TEST(ForeignSentencePiece, IsRefusedWithoutByteFallback) {
  const std::string path = train("no_bytes", {{"byte_fallback", "false"}, {"vocab_size", "80"}});
  const auto tokenizer = load_sentencepiece(path);
  ASSERT_FALSE(tokenizer);
  EXPECT_THAT(tokenizer.error().message, ::testing::HasSubstr("has 0 byte tokens, expected 256"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace weft::model
