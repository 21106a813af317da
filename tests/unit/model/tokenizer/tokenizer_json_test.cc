// tokenizer.json: its components, its added tokens, and what is said of a file that is not right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "model/tokenizer/tokenizer_json.h"

namespace weft::model {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Every byte as its letter, and a few merges.
Json byte_level() {
  Json vocabulary = Json::object();
  std::ifstream letters(std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/gpt2/vocab.json");
  const Json gpt2 = Json::parse(letters);
  for (const auto& [token, id] : gpt2.items()) {
    if (id < 256) vocabulary[token] = id;
  }
  Json merges = Json::array();
  const auto merge = [&](const char* left, const char* right) {
    vocabulary[std::string(left) + right] = vocabulary.size();
    merges.push_back(std::string(left) + " " + right);
  };
  merge("a", "b");
  merge("ab", "c");
  merge("Ġ", "ab");
  merge("1", "2");
  return {{"version", "1.0"},
          {"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
}

// Characters, with bytes to fall back on.
Json with_byte_fallback() {
  Json vocabulary = {{"<unk>", 0}, {"<s>", 1}};
  for (int byte = 0; byte < 256; ++byte) vocabulary[fmt::format("<0x{:02X}>", byte)] = 2 + byte;
  for (const char* token : {"▁", "a", "b", "<", "s", ">", "▁a", "ab", "▁ab", "<s"})
    vocabulary[token] = vocabulary.size();
  Json merges = Json::array();
  for (const auto& [left, right] : {std::pair("▁", "a"), {"▁a", "b"}, {"a", "b"}, {"<", "s"}, {"<s", ">"}}) {
    merges.push_back(Json::array({left, right}));
  }
  return {{"added_tokens", {{{"id", 1}, {"content", "<s>"}, {"special", true}}}},
          {"normalizer", {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}},
          {"pre_tokenizer", nullptr},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab", vocabulary},
            {"merges", merges}}}};
}

Expected<std::shared_ptr<const Tokenizer>> parse(const Json& root) { return parse_tokenizer_json(root.dump(), "file"); }

std::vector<std::string> tokens(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::vector<std::string> out;
  for (const TokenId id : ids) out.emplace_back(tokenizer.bytes(id));
  return out;
}
std::vector<std::string> encoded(const Json& root, std::string_view text, bool start = false) {
  const auto tokenizer = parse(root);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  if (!tokenizer) return {};
  return tokens(**tokenizer, start ? (*tokenizer)->encode_start(text) : (*tokenizer)->encode(text));
}

Json sequence(std::vector<Json> steps) { return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}}; }
Json added(std::int64_t id, const std::string& content, bool special = false) {
  return {{"id", id}, {"content", content}, {"special", special}};
}

TEST(TokenizerJson, MergesInsideThePiecesThatThePreTokenizerCuts) {
  Json root = byte_level();
  EXPECT_THAT(encoded(root, "abc ab12"), ElementsAre("abc", " ab", "12"));
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  root["pre_tokenizer"] = sequence({{{"type", "Digits"}, {"individual_digits", true}}, bytes});
  EXPECT_THAT(encoded(root, "abc12"), ElementsAre("abc", "1", "2"));
  root["pre_tokenizer"] = sequence({{{"type", "Digits"}, {"individual_digits", false}}, bytes});
  EXPECT_THAT(encoded(root, "abc12"), ElementsAre("abc", "12"));
  root["pre_tokenizer"] =
      sequence({{{"type", "Split"}, {"pattern", {{"Regex", "b"}}}, {"behavior", "MergedWithPrevious"}}, bytes});
  EXPECT_THAT(encoded(root, "abc"), ElementsAre("ab", "c"));
  root["pre_tokenizer"] =
      sequence({{{"type", "Split"}, {"pattern", {{"String", "b"}}}, {"behavior", "Isolated"}}, bytes});
  EXPECT_THAT(encoded(root, "abc"), ElementsAre("a", "b", "c"));
  root["pre_tokenizer"] = sequence({{{"type", "Punctuation"}}, bytes});
  EXPECT_THAT(encoded(root, "ab-ab"), ElementsAre("ab", "-", "ab"));
}

TEST(TokenizerJson, TakesAWholePieceThatIsATokenWhereMergesAreIgnored) {
  Json root = byte_level();
  root["model"]["vocab"]["cab"] = 260;
  EXPECT_THAT(encoded(root, "cab"), ElementsAre("c", "ab"));
  root["model"]["ignore_merges"] = true;
  EXPECT_THAT(encoded(root, "cab"), ElementsAre("cab"));
}

TEST(TokenizerJson, ChangesTextAtAStartAlone) {
  Json root = byte_level();
  root["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}};
  root["pre_tokenizer"]["add_prefix_space"] = true;
  EXPECT_THAT(encoded(root, "ab", true), ElementsAre(" ab"));
  EXPECT_THAT(encoded(root, " ab", true), ElementsAre(" ab"));
  EXPECT_THAT(encoded(root, "", true), ElementsAre());
  const auto tokenizer = parse(root);
  ASSERT_TRUE(tokenizer);
  const std::string decomposed = "abe\u0301";
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(decomposed)), decomposed);
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode_start(decomposed)), " ab\u00e9");
  EXPECT_EQ((*tokenizer)
                ->decode((*tokenizer)
                             ->encode_start("ab\xFF"
                                            "e\u0301")),
            " ab\xFF\u00e9");
  root["normalizer"] = {{"type", "NFKC"}};
  EXPECT_THAT(encoded(root, "x", true), ElementsAre(" ", "x"));
  EXPECT_THAT(encoded(root, "\uff41\uff42", true), ElementsAre(" ab"));
}

TEST(TokenizerJson, FallsBackOnBytesAndTellsTheMarkOfASpaceFromASpace) {
  Json root = with_byte_fallback();
  EXPECT_THAT(encoded(root, "a ab"), ElementsAre("a", " ab"));
  EXPECT_THAT(encoded(root, "\u00e9"), ElementsAre("\xC3", "\xA9"));
  EXPECT_THAT(encoded(root, "\u2581"), ElementsAre("\xE2", "\x96", "\x81"));
  EXPECT_THAT(encoded(root, "\u2581", true), ElementsAre(" "));
  EXPECT_THAT(encoded(root, "a\xE2\x96z\xFF"), ElementsAre("a", "\xE2", "\x96", "z", "\xFF"));
  root["normalizer"] = {{"type", "Sequence"},
                        {"normalizers", {{{"type", "Prepend"}, {"prepend", "▁"}}, root["normalizer"]}}};
  EXPECT_THAT(encoded(root, "ab", true), ElementsAre(" ab"));
  EXPECT_THAT(encoded(root, "ab"), ElementsAre("ab"));
  EXPECT_THAT(encoded(root, " ab", true), ElementsAre(" ", " ab"));
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}, {"split", true}};
  EXPECT_THAT(encoded(root, "ab ab", true), ElementsAre(" ab", " ab"));
  EXPECT_THAT(encoded(root, "ab ab"), ElementsAre("ab", " ab"));
}

TEST(TokenizerJson, NeverMakesControlTokensOfText) {
  Json root = with_byte_fallback();
  const auto tokenizer = parse(root);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->control("<s>"), TokenId(1));
  EXPECT_EQ((*tokenizer)->bytes(TokenId(1)), "");
  EXPECT_THAT((*tokenizer)->encode("<s>"), Not(::testing::Contains(TokenId(1))));  // the merges would
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode("<s>")), "<s>");
  EXPECT_FALSE((*tokenizer)->control("ab"));
  EXPECT_FALSE((*tokenizer)->control("<none>"));
}

TEST(TokenizerJson, MakesAddedTokensOfTextOnlyWhereTheyAreText) {
  Json root = byte_level();
  root["added_tokens"] = Json::array({added(260, "<|fim_prefix|>"), added(261, "    "), added(262, "        "),
                                      added(263, "<think>"), added(264, "<|endoftext|>", true)});
  EXPECT_THAT(encoded(root, "ab            ab"), ElementsAre("ab", "        ", "    ", "ab"));
  const auto tokenizer = parse(root);
  ASSERT_TRUE(tokenizer);
  for (const char* name : {"<|fim_prefix|>", "<think>", "<|endoftext|>"}) {
    ASSERT_TRUE((*tokenizer)->control(name)) << name;
    EXPECT_EQ((*tokenizer)->encode(name).size(), std::string(name).size()) << name;
  }
  EXPECT_FALSE((*tokenizer)->control("    "));
  EXPECT_EQ((*tokenizer)->vocabulary(), 265U);
  EXPECT_EQ((*tokenizer)->bytes(TokenId(265)), "");
  EXPECT_EQ((*tokenizer)->bytes(TokenId(-1)), "");

  Json gemma = with_byte_fallback();
  gemma["model"]["vocab"]["<b>"] = 268;
  gemma["added_tokens"].push_back(added(268, "<b>"));
  EXPECT_THAT(encoded(gemma, "a<b>a"), ElementsAre("a", "<b>", "a"));
}

TEST(TokenizerJson, TakesNothingAwayButAtAStart) {
  Json root = byte_level();
  root["pre_tokenizer"] = sequence({{{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "Removed"}},
                                    {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}});
  EXPECT_THAT(encoded(root, "ab ab", true), ElementsAre("ab", "ab"));
  EXPECT_THAT(encoded(root, "ab ab"), ElementsAre("ab", " ", "ab"));
}

// The names of byte tokens are not their text, which a file's merges may overlook.
TEST(TokenizerJson, NeverMakesByteTokensOfTheirNames) {
  Json root = with_byte_fallback();
  Json& vocabulary = root["model"]["vocab"];
  for (const char* token : {"0", "x", "4", "1", "0x", "0x4", "<0x4", "1>"}) vocabulary[token] = vocabulary.size();
  for (const auto& [left, right] : {std::pair("0", "x"), {"0x", "4"}, {"<", "0x4"}, {"1", ">"}, {"<0x4", "1>"}}) {
    root["model"]["merges"].push_back(Json::array({left, right}));
  }
  EXPECT_THAT(encoded(root, "<0x41>"), ElementsAre("<0x4", "1>"));
}

// As in DeepSeek-Coder's: bytes that UTF-8 never has are added tokens there.
TEST(TokenizerJson, TakesAddedLettersForTheBytesThatTheVocabularyLacks) {
  Json root = byte_level();
  const int id = root["model"]["vocab"]["ÿ"];
  root["model"]["vocab"].erase("ÿ");
  const auto lacking = parse(root);
  ASSERT_TRUE(lacking);
  EXPECT_EQ((*lacking)->decode((*lacking)->encode("a\xFFz")), "az");
  root["added_tokens"] = Json::array({added(id, "ÿ")});
  const auto whole = parse(root);
  ASSERT_TRUE(whole);
  EXPECT_EQ((*whole)->decode((*whole)->encode("a\xFFz")), "a\xFFz");
  EXPECT_EQ((*whole)->encode("ÿ").size(), 2U);
}

TEST(TokenizerJson, LongTextsWithoutACutTakeNoLongerThanTheyHaveTo) {
  Json root = with_byte_fallback();
  const auto tokenizer = parse(root);
  ASSERT_TRUE(tokenizer);
  for (const std::string& text : {std::string(100'000, ' '), std::string(400'000, 'a'), std::string(300'000, 'b')}) {
    EXPECT_TRUE((*tokenizer)->decode((*tokenizer)->encode(text)) == text);
  }
}

TEST(TokenizerJson, EncodesOnManyThreadsAtOnce) {
  const auto tokenizer = load_tokenizer(std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/qwen2");
  ASSERT_TRUE(tokenizer);
  std::string text;
  for (int i = 0; i < 300; ++i) text += "def été(x):\n    return x + 12\n";
  const auto expected = (*tokenizer)->encode_start(text);
  std::array<bool, 4> same{};
  std::vector<std::jthread> threads;
  for (bool& one : same) threads.emplace_back([&] { one = (*tokenizer)->encode_start(text) == expected; });
  threads.clear();
  EXPECT_THAT(same, ::testing::Each(true));
}

void expect_error(const Json& root, const std::string& part) {
  const auto tokenizer = parse(root);
  ASSERT_FALSE(tokenizer) << part;
  EXPECT_THAT(tokenizer.error().message, ::testing::AllOf(HasSubstr("file"), HasSubstr(part)));
}

TEST(TokenizerJsonErrors, NameAnUnknownComponentAndThoseThatAreKnown) {
  Json root = byte_level();
  root["normalizer"] = {{"type", "Lowercase"}};
  expect_error(root, "unknown normalizer 'Lowercase'; weft knows NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence");
  root = byte_level();
  root["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  expect_error(root, "unknown pre-tokenizer 'BertPreTokenizer'; weft knows ByteLevel, Digits, Metaspace");
  root["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "a"}}}, {"behavior", "Odd"}};
  expect_error(root, "unknown behavior 'Odd'");
  root["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  expect_error(root, "the pattern '(a' does not compile");
  root["pre_tokenizer"] = {{"type", "Split"}, {"behavior", "Isolated"}};
  expect_error(root, "Split has no pattern");
  root["pre_tokenizer"] = sequence({{{"type", "ByteLevel"}, {"add_prefix_space", false}}, {{"type", "Digits"}}});
  expect_error(root, "after ByteLevel");
  root["pre_tokenizer"] = sequence({{{"type", "Digits"}}, {{"type", "ByteLevel"}, {"add_prefix_space", true}}});
  expect_error(root, "add_prefix_space");
  root["pre_tokenizer"] = 7;
  expect_error(root, "a pre-tokenizer is number");
  Json deep = {{"type", "NFC"}};
  for (int i = 0; i < 9; ++i) deep = {{"type", "Sequence"}, {"normalizers", {deep}}};
  root = byte_level();
  root["normalizer"] = deep;
  expect_error(root, "more than 4 deep");
  root = byte_level();
  root["model"]["type"] = "WordPiece";
  expect_error(root, "unknown model type 'WordPiece'; weft knows BPE, Unigram");
  root["model"]["type"] = "BPE";
  root["model"]["end_of_word_suffix"] = "</w>";
  expect_error(root, "end_of_word_suffix is \"</w>\"");
}

TEST(TokenizerJsonErrors, NameWhatIsWrongWithTheVocabulary) {
  Json root = byte_level();
  root["model"]["vocab"]["ab"] = 5;
  expect_error(root, "id 5 is both");
  for (const Json& id : {Json(-1), Json(1 << 20), Json(1e30), Json("7"), Json(1.5), Json(~std::uint64_t{0})}) {
    root["model"]["vocab"]["ab"] = id;
    expect_error(root, "token 'ab' has id " + id.dump() + ", expected 0 to 1048575");
  }
  root = byte_level();
  root["model"]["merges"].push_back("q z");
  expect_error(root, "merge 4 is of 'q' and 'z', but 'qz' is not in the vocabulary");
  root["model"]["merges"].back() = Json::array({"abx", "z"});
  expect_error(root, "merge 4 is of 'abx' and 'z', but 'abx' is not in the vocabulary");
  root["model"]["merges"].back() = "no";
  expect_error(root, "merge 4 is \"no\", expected two tokens");
  root["model"]["merges"] = nullptr;
  expect_error(root, "the model has no list of merges");
  root["model"]["vocab"] = Json::array();
  expect_error(root, "vocab is array, expected an object");
  root["model"].erase("vocab");
  expect_error(root, "the model has no vocab");
  root = byte_level();
  root["model"]["unk_token"] = "<unk>";
  expect_error(root, "the unknown token '<unk>' is not in the vocabulary");
  root = with_byte_fallback();
  root["model"]["vocab"].erase("<0x41>");
  expect_error(root, "has 255 byte tokens, expected 256");
}

TEST(TokenizerJsonErrors, NameWhatIsWrongWithAddedTokens) {
  Json root = byte_level();
  root["added_tokens"] = Json::array({added(3, "<x>")});
  expect_error(root, "id 3 is token");
  root["added_tokens"] = Json::array({added(300, "ab")});
  expect_error(root, "'ab' is token 256 and added token 300");
  root["added_tokens"] = Json::array({added(1 << 20, "<x>")});
  expect_error(root, "added token '<x>' has id 1048576, expected 0 to 1048575");
  root["added_tokens"] = Json::array({Json{{"content", "<x>"}}});
  expect_error(root, "added token '<x>' has id null");
  root["added_tokens"] = Json::array({added(300, "")});
  expect_error(root, "added token 300 is empty");
  root["added_tokens"] = Json::array({7});
  expect_error(root, "an added token is number");
  root["added_tokens"] = 7;
  expect_error(root, "added_tokens is number");
}

TEST(TokenizerJsonErrors, SurviveAFileThatIsCutAnywhere) {
  Json root = byte_level();
  root["added_tokens"] = Json::array({added(260, "<s>", true)});
  const std::string whole = root.dump();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto tokenizer = parse_tokenizer_json(whole.substr(0, size), "file");
    ASSERT_FALSE(tokenizer) << size;
    EXPECT_THAT(tokenizer.error().message, HasSubstr("file is not JSON"));
  }
  for (const char* other : {"[]", "7", "null", "{}", "{\"model\": 1}", "{\"model\": {}}"}) {
    EXPECT_FALSE(parse_tokenizer_json(other, "file")) << other;
  }
}

}  // namespace
}  // namespace weft::model
