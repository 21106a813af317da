// Which files of a model directory are its tokenizer, and what the files beside them add.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "model/tokenizer/byte_level_bpe.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(WEFT_SOURCE_DIR) / "tests/parity/tokenizers/golden";

class LoadTokenizer : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "weft_load_tokenizer";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  void copy(const std::string& from) const {
    fs::copy_file(kGolden / from, folder_ / fs::path(from).filename(), fs::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::size_t vocabulary() const {
    const auto tokenizer = load_tokenizer(folder_.string());
    EXPECT_TRUE(tokenizer) << tokenizer.error().message;
    return tokenizer ? (*tokenizer)->vocabulary() : 0;
  }
  void expect_error(const std::string& part) const {
    const auto tokenizer = load_tokenizer(folder_.string());
    ASSERT_FALSE(tokenizer) << part;
    EXPECT_THAT(tokenizer.error().message, HasSubstr(part));
  }
  fs::path folder_;
};

TEST_F(LoadTokenizer, TakesTheFirstOfTheFilesThatIsThere) {
  expect_error("holds no tokenizer: neither tokenizer.model nor spiece.model, tokenizer.json, or vocab.json with");
  copy("gpt2/vocab.json");
  expect_error("holds no tokenizer");
  copy("gpt2/merges.txt");
  EXPECT_EQ(vocabulary(), 6257U);
  copy("qwen2/tokenizer.json");
  const std::size_t qwen2 = vocabulary();
  EXPECT_NE(qwen2, 6257U);
  copy("t5/spiece.model");
  const std::size_t t5 = vocabulary();
  EXPECT_NE(t5, qwen2);
  copy("codellama/tokenizer.model");
  EXPECT_NE(vocabulary(), t5);
  // Llama 3 has a tokenizer.model that is no SentencePiece.
  fs::remove(folder_ / "spiece.model");
  write("tokenizer.model", "IQ== 0\nIg== 1\n");
  EXPECT_EQ(vocabulary(), qwen2);
  fs::remove(folder_ / "tokenizer.json");
  expect_error("tokenizer.model is not a SentencePiece model (14 bytes)");
}

TEST_F(LoadTokenizer, ListsTheFilesThatItReads) {
  EXPECT_THAT(tokenizer_files(folder_.string()), ElementsAre());
  for (const char* name : {"config.json", "merges.txt", "vocab.json", "added_tokens.json"}) write(name, "{}");
  EXPECT_THAT(tokenizer_files(folder_.string()),
              ElementsAre((folder_ / "vocab.json").string(), (folder_ / "merges.txt").string(),
                          (folder_ / "added_tokens.json").string()));
}

TEST_F(LoadTokenizer, FindsTheControlTokensOfAVocabularyWithMerges) {
  write("vocab.json", R"({"<s>": 0, "a": 1, "b": 2, "ab": 3, "<mask>": 4, "<odd>": 5})");
  write("merges.txt", "#version: 0.2\r\na b\r\n\r\n");
  write("special_tokens_map.json", R"({"bos_token": "<s>", "mask_token": {"content": "<mask>", "lstrip": true}})");
  write("added_tokens.json", R"({"<extra_id_0>": 7})");
  write("tokenizer_config.json",
        R"({"added_tokens_decoder": {"8": {"content": "<pad>", "special": true}, "9": {"content": "<x>"}}})");
  const auto tokenizer = load_tokenizer(folder_.string());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->vocabulary(), 10U);
  for (const auto& [name, id] :
       {std::pair("<s>", 0), {"<mask>", 4}, {"<odd>", 5}, {"<extra_id_0>", 7}, {"<pad>", 8}, {"<x>", 9}}) {
    EXPECT_EQ((*tokenizer)->control(name), TokenId(id)) << name;
  }
  EXPECT_FALSE((*tokenizer)->control("ab"));
  EXPECT_THAT((*tokenizer)->encode("ab"), ElementsAre(TokenId(3)));
}

TEST_F(LoadTokenizer, PutsASpaceInFrontWhereTheConfigurationSaysSo) {
  write("vocab.json", R"({"Ġ": 0, "a": 1, "Ġa": 2})");
  write("merges.txt", "Ġ a\n");
  write("tokenizer_config.json", R"({"add_prefix_space": true})");
  const auto tokenizer = load_tokenizer(folder_.string());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_THAT((*tokenizer)->encode_start("a"), ElementsAre(TokenId(2)));
  EXPECT_THAT((*tokenizer)->encode("a"), ElementsAre(TokenId(1)));
}

TEST_F(LoadTokenizer, NamesTheFileThatIsWrong) {
  write("vocab.json", R"({"a": 0, "b": 0})");
  write("merges.txt", "a b c\n");
  expect_error("vocab.json: id 0 is both");
  write("vocab.json", R"({"a": 0, "b": 1)");
  expect_error("vocab.json is not JSON");
  write("vocab.json", R"({"a": 0, "b": 1})");
  expect_error("merges.txt: line 1 is 'a b c', expected two tokens");
  write("merges.txt", "a b\n");
  expect_error("vocab.json: merge 0 is of 'a' and 'b', but 'ab' is not in the vocabulary");
  write("merges.txt", "");
  write("added_tokens.json", R"({"<x>": "y"})");
  expect_error("added_tokens.json: added token '<x>' has id string");
  write("added_tokens.json", "[]");
  expect_error("added_tokens.json is not a JSON object");
  fs::remove(folder_ / "added_tokens.json");
  write("tokenizer_config.json", R"({"added_tokens_decoder": {"many": {"content": "<x>"}}})");
  expect_error("tokenizer_config.json: added token '<x>' has id");
  write("tokenizer_config.json", "[1]");
  expect_error("tokenizer_config.json is not a JSON object");
}

BpeParts parts() {
  BpeParts out{.origin = "model.gguf"};
  out.tokens = {"a", "b", "1", "2", "Ġ", "ab", "12", "<|x|>", "    ", "<tool>"};
  out.merges = {"a b", "1 2"};
  out.controls = {7};
  out.user_defined = {8, 9};
  out.pre_tokenizer = "qwen2";
  return out;
}

TEST(ByteLevelBpe, CutsAsItsPreTokenizerIsNamed) {
  BpeParts named = parts();
  const auto qwen2 = make_byte_level_bpe(named);
  ASSERT_TRUE(qwen2) << qwen2.error().message;
  EXPECT_THAT((*qwen2)->encode("ab12"), ElementsAre(TokenId(5), TokenId(2), TokenId(3)));
  named.pre_tokenizer = "llama-bpe";
  const auto llama = make_byte_level_bpe(named);
  ASSERT_TRUE(llama) << llama.error().message;
  EXPECT_THAT((*llama)->encode("ab12"), ElementsAre(TokenId(5), TokenId(6)));
  EXPECT_EQ((*qwen2)->control("<|x|>"), TokenId(7));
  EXPECT_EQ((*qwen2)->control("<tool>"), TokenId(9));
  EXPECT_FALSE((*qwen2)->control("    "));
  EXPECT_THAT((*qwen2)->encode("a    b"), ElementsAre(TokenId(0), TokenId(8), TokenId(1)));
}

TEST(ByteLevelBpe, SaysWhatIsWrongWithItsParts) {
  const auto expect = [](const BpeParts& wrong, const std::string& part) {
    const auto made = make_byte_level_bpe(wrong);
    ASSERT_FALSE(made) << part;
    EXPECT_THAT(made.error().message, ::testing::AllOf(HasSubstr("model.gguf"), HasSubstr(part)));
  };
  BpeParts wrong = parts();
  wrong.pre_tokenizer = "viking";
  expect(wrong, "unknown pre-tokenizer 'viking'; weft knows default, gpt-2");
  wrong = parts();
  wrong.merges.emplace_back("a");
  expect(wrong, "merge 2 is 'a', expected two tokens");
  wrong = parts();
  wrong.controls = {10};
  expect(wrong, "control token 10 is not among 10 tokens");
  wrong.controls = {-1};
  expect(wrong, "control token -1 is not among 10 tokens");
  wrong = parts();
  wrong.tokens[1] = "a";
  expect(wrong, "tokens 0 and 1 are both 'a'");
}

}  // namespace
}  // namespace weft::model
