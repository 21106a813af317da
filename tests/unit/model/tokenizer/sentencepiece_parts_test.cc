// SentencePiece models from parts, as GGUF files and a tokenizer.json of type Unigram hold them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/tokenizer/sentencepiece.h"
#include "model/tokenizer/sentencepiece_proto.h"
#include "model/tokenizer/tokenizer_json.h"

namespace weft::model {
namespace {

using ::testing::HasSubstr;

const std::string kGolden = std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

SentencePieceParts small() {
  SentencePieceParts parts{.origin = "here"};
  parts.pieces = {{"<unk>", 0, PieceType::kUnknown}, {"<s>", 0, PieceType::kControl}};
  for (int byte = 0; byte < 256; ++byte) parts.pieces.push_back({fmt::format("<0x{:02X}>", byte), 0, PieceType::kByte});
  parts.pieces.push_back({"▁<PRE>", 0, PieceType::kNormal});
  float score = 0;
  for (const char* text : {"ab", "▁ab", "▁", "a", "b"}) parts.pieces.push_back({text, score -= 1});
  return parts;
}

TEST(SentencePieceParts, MakeTheTokenizerOfTheFileThatTheyComeFrom) {
  for (const char* family : {"mistral_v3", "codellama"}) {
    const auto file = load_tokenizer(kGolden + family);
    const auto proto = read_sentencepiece_proto(read(kGolden + family + "/tokenizer.model"));
    ASSERT_TRUE(file && proto);
    const auto built = make_sentencepiece({.origin = family, .pieces = proto->pieces});
    ASSERT_TRUE(built) << built.error().message;
    for (const std::string text : {"def f(x):\n    return x", "", " a", "Größe\t\xFF 漢字\r\n", "<s>[INST]"}) {
      EXPECT_EQ((*built)->encode(text), (*file)->encode(text)) << text;
      EXPECT_EQ((*built)->encode_start(text), (*file)->encode_start(text)) << text;
    }
  }
}

TEST(SentencePieceParts, SayWhetherASpaceGoesInFront) {
  SentencePieceParts parts = small();
  const auto with = make_sentencepiece(parts);
  parts.add_dummy_prefix = false;
  const auto without = make_sentencepiece(parts);
  ASSERT_TRUE(with && without);
  EXPECT_EQ((*with)->decode((*with)->encode_start("ab")), " ab");
  EXPECT_EQ((*without)->decode((*without)->encode_start("ab")), "ab");
  EXPECT_EQ((*with)->encode("ab"), (*without)->encode("ab"));
  EXPECT_TRUE((*with)->control("▁<PRE>"));
}

// SentencePiece itself finds it by the name that its trainer gives it.
TEST(SentencePieceParts, MayNameTheUnknownPieceAsTheyLike) {
  const auto tokenizer =
      make_sentencepiece({.origin = "here", .pieces = {{"a", -1}, {"▁", -2}, {"??", 0, PieceType::kUnknown}}});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_THAT((*tokenizer)->encode("a\xFF"), ::testing::ElementsAre(TokenId(0), TokenId(2)));
}

TEST(SentencePieceParts, AreRefusedWhenTheyCannotBeAModel) {
  SentencePieceParts twice = small();
  twice.pieces.push_back({"ab"});
  SentencePieceParts few_bytes = small();
  few_bytes.pieces[17].type = PieceType::kNormal;
  SentencePieceParts no_unknown = small();
  no_unknown.pieces[0].type = PieceType::kNormal;
  SentencePieceParts odd_byte = small();
  odd_byte.pieces[5].text = "five";
  for (const auto& parts : {twice, few_bytes, no_unknown, odd_byte, SentencePieceParts{.origin = "here"}}) {
    const auto made = make_sentencepiece(parts);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("here"));
  }
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (unsigned i = 0; i < 4; ++i) out += at + i > bytes.size() ? '=' : kLetters[bits >> (18 - 6 * i) & 63];
  }
  return out;
}

// The precompiled_charsmap: field 2 of the normalizer_spec, which is field 3 of the model's specs.
std::string charsmap(const SentencePieceProto& proto) {
  const std::size_t begin = proto.specs.find(std::string_view("nmt_nfkc"));
  EXPECT_NE(begin, std::string::npos);
  std::string_view rest = std::string_view(proto.specs).substr(begin + 8);
  EXPECT_EQ(rest.front(), '\x12');
  rest.remove_prefix(1);
  std::size_t size = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    size |= std::size_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return std::string(rest.substr(0, size));
}

TEST(UnigramJson, GivesTheIdsOfTheSentencePieceModelThatItWasMadeFrom) {
  const auto file = load_tokenizer(kGolden + "t5");
  const auto proto = read_sentencepiece_proto(read(kGolden + "t5/spiece.model"));
  ASSERT_TRUE(file && proto);
  nlohmann::json root = {{"added_tokens", {{{"id", 2000}, {"content", "<extra_id_99>"}, {"special", true}}}},
                         {"normalizer",
                          {{"type", "Sequence"},
                           {"normalizers",
                            {{{"type", "Precompiled"}, {"precompiled_charsmap", base64(charsmap(*proto))}},
                             {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}}}}}},
                         {"pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}},
                         {"model", {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", nlohmann::json::array()}}}};
  for (const auto& piece : proto->pieces) root["model"]["vocab"].push_back({piece.text, piece.score});
  const auto made = parse_tokenizer_json(root.dump(), "t5.json");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE((*made)->control("<extra_id_99>"));
  for (const std::string text : {"def f(x):\n    return x", "", " a  b ", "Größe ﬁ ①", "don't"}) {
    EXPECT_EQ((*made)->encode_start(text), (*file)->encode_start(text)) << text;
  }
  root["model"]["vocab"][5] = {"x", "y"};
  const auto odd = parse_tokenizer_json(root.dump(), "t5.json");
  ASSERT_FALSE(odd);
  EXPECT_THAT(odd.error().message, HasSubstr("t5.json: token 5 is [\"x\",\"y\"]"));
  root["normalizer"] = {{"type", "Lowercase"}};
  const auto unknown = parse_tokenizer_json(root.dump(), "t5.json");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("unknown component 'Lowercase' of a Unigram model; weft knows"));
}

}  // namespace
}  // namespace weft::model
