// The tokenizer that weft trains: any bytes come back, control strings in text stay text, indentation is cheap.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "model/tokenizer/sentencepiece_trainer.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

// tokenizer.model in a folder of its own.
std::string scratch(const std::string& name) {
  const std::filesystem::path folder = ::testing::TempDir() + "weft_sentencepiece_" + name;
  std::filesystem::create_directories(folder);
  return (folder / "tokenizer.model").string();
}

Expected<std::shared_ptr<const Tokenizer>> load(const std::string& path) {
  return load_tokenizer(std::filesystem::path(path).parent_path().string());
}

void discard(const std::string& path) { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Code with enough variety for several hundred merges, the same each time.
std::vector<std::string> documents() {
  const std::vector<std::string> nouns = {"path", "value", "result", "buffer", "index", "token", "request", "header"};
  const std::vector<std::string> verbs = {"read", "write", "parse", "encode", "update", "create", "remove", "check"};
  std::mt19937 random(7);
  std::vector<std::string> out;
  for (int i = 0; i < 60; ++i) {
    std::string text = "import os\n\n\nclass Thing:\n    def __init__(self, x):\n        self.x = x\n\n";
    for (int j = 0; j < 8; ++j) {
      const std::string& verb = verbs[random() % verbs.size()];
      const std::string& noun = nouns[random() % nouns.size()];
      text += "    def " + verb + "_" + noun + "(self, " + noun + "):\n        for item in self." + noun +
              "s:\n            if item is not None and " + noun + " != item:\n                return item." + verb +
              "(" + noun + ", " + std::to_string(random() % 1000) + ")\n        return None\n\n";
    }
    out.push_back(text);
  }
  return out;
}

class SentencePiece : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    path_ = scratch("model");
    const auto trained = train_sentencepiece(documents(), {.vocabulary = 600}, path_);
    ASSERT_TRUE(trained) << trained.error().message;
    auto loaded = load(path_);
    ASSERT_TRUE(loaded) << loaded.error().message;
    tokenizer_ = *loaded;
  }
  static void TearDownTestSuite() {
    tokenizer_.reset();
    discard(path_);
  }
  static void expect_round_trip(std::string_view text) {
    const auto ids = tokenizer_->encode(text);
    EXPECT_EQ(tokenizer_->decode(ids), text);
    for (const TokenId id : ids) EXPECT_FALSE(tokenizer_->bytes(id).empty()) << id.value() << " in " << text;
  }
  static inline std::string path_;
  static inline std::shared_ptr<const Tokenizer> tokenizer_;
};

TEST_F(SentencePiece, HasTheVocabularyThatWasAskedFor) { EXPECT_EQ(tokenizer_->vocabulary(), 600U); }

TEST_F(SentencePiece, GivesTextBackExactly) {
  for (const std::string_view text :
       {"", " ", "  leading and trailing  ", "def f(x):\n    return x\n", "\n\n\n\n\t\t\tx\r\n",
        "a\n                             b", "naïve – 漢字 😀 \u00a0 e\u0301 ﬁ",
        "\xE2\x96\x81 the space mark \xE2\x96\x81\xE2\x96\x81", "\uFFFD \u2585"}) {
    expect_round_trip(text);
  }
  expect_round_trip(std::string_view("nul\0inside", 10));
  for (const std::string& document : documents()) expect_round_trip(document);
}

TEST_F(SentencePiece, GivesInvalidUtf8BackByteByByte) {
  for (const std::string_view text : {"\xFF", "ok \xC3", "\xE2\x96", "\xED\xA0\x80 surrogate", "\xC0\xAF", "a\x80z"}) {
    expect_round_trip(text);
  }
  std::mt19937 random(11);
  for (int i = 0; i < 200; ++i) {
    std::string text(random() % 64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    expect_round_trip(text);
  }
}

TEST_F(SentencePiece, KeepsControlStringsInTextAsText) {
  for (const std::string name :
       {"<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "<file_sep>", "<repo_name>"}) {
    const auto control = tokenizer_->control(name);
    ASSERT_TRUE(control) << name;
    EXPECT_EQ(tokenizer_->bytes(*control), "") << name;
    expect_round_trip(name);
    EXPECT_THAT(tokenizer_->encode("x = '" + name + "'"), ::testing::Not(::testing::Contains(*control))) << name;
  }
  expect_round_trip("<unk> <s> <0x0A>");
  EXPECT_FALSE(tokenizer_->control("return"));
  EXPECT_FALSE(tokenizer_->control("<no_such>"));
  EXPECT_FALSE(tokenizer_->control("<unk>"));
}

TEST_F(SentencePiece, SpendsOneTokenOnALineEndAndItsIndentation) {
  for (const int spaces : {0, 4, 8, 12, 16, 20, 24}) {
    const std::string text = fmt::format("\n{:{}}", "", spaces);
    EXPECT_EQ(tokenizer_->encode(text).size(), 1U) << spaces;
    EXPECT_EQ(tokenizer_->encode(fmt::format("x{}x", text)).size(), 3U) << spaces;
  }
  EXPECT_EQ(tokenizer_->encode("\n\t").size(), 1U);
}

TEST_F(SentencePiece, MergesAcrossSpacesButNeverTwoDigits) {
  EXPECT_LE(tokenizer_->encode("return None").size(), 2U);
  EXPECT_EQ(tokenizer_->encode("123").size(), 3U);
}

TEST_F(SentencePiece, HasNoBytesForIdsOutOfTheVocabulary) {
  EXPECT_EQ(tokenizer_->bytes(TokenId(-1)), "");
  EXPECT_EQ(tokenizer_->bytes(TokenId(600)), "");
}

TEST_F(SentencePiece, TrainsTheSameModelFromTheSameSeed) {
  const std::string again = scratch("again");
  ASSERT_TRUE(train_sentencepiece(documents(), {.vocabulary = 600}, again));
  EXPECT_EQ(read(again), read(path_));
  discard(again);
}

TEST(SentencePieceErrors, NamesTheFileThatIsMissingOrNotAModel) {
  const auto missing = load(scratch("missing"));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr("missing"));
  const std::string path = scratch("foreign");
  for (const std::string text : {"", "not a model at all", "{\"version\": \"1.0\"}"}) {
    std::ofstream(path, std::ios::binary) << text;
    const auto foreign = load(path);
    ASSERT_FALSE(foreign) << text;
    EXPECT_THAT(foreign.error().message, ::testing::HasSubstr("is not a SentencePiece model"));
  }
  discard(path);
}

TEST(SentencePieceErrors, RefusesATruncatedModel) {
  const std::string path = scratch("truncated");
  ASSERT_TRUE(train_sentencepiece(documents(), {.vocabulary = 500}, path));
  const std::string whole = read(path);
  for (const std::size_t size : {whole.size() / 3, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(load(path)) << size << " of " << whole.size();
  }
  discard(path);
}

TEST(SentencePieceErrors, SaysWhenThereIsTooLittleText) {
  const std::string path = scratch("little");
  const auto none = train_sentencepiece({}, {}, path);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, ::testing::HasSubstr("no text"));
  const std::vector<std::string> few = {"x = 1\n"};
  const auto little = train_sentencepiece(few, {}, path);
  ASSERT_FALSE(little);
  EXPECT_THAT(little.error().message, ::testing::HasSubstr("8192"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SentencePieceErrors, SaysWhenTheVocabularyHasNoRoomForTheAlphabet) {
  const std::string path = scratch("alphabet");
  const auto tiny = train_sentencepiece(documents(), {.vocabulary = 383}, path);
  ASSERT_FALSE(tiny);
  EXPECT_THAT(tiny.error().message, ::testing::HasSubstr("383"));
  ASSERT_TRUE(train_sentencepiece(documents(), {.vocabulary = 384}, path));
  discard(path);
  const std::vector<std::string> greek = {"α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ τ υ φ χ ψ ω\n"};
  const auto full = train_sentencepiece(greek, {.vocabulary = 384}, path);
  ASSERT_FALSE(full);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace weft::model
