// Parity: tokenizers of every family against the ids that `tokenizers` and `sentencepiece` give for 5000 strings, in
// which control strings are text. make_goldens.py beside this made the goldens and says how they are written. Compared
// are valid UTF-8 texts; of invalid ones unit tests show that they come back byte by byte.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "model/tokenizer/byte_level_bpe.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {
namespace {

using Json = nlohmann::json;

const std::string kFolder = std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/";

Json read_json(const std::string& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

const std::vector<std::string>& strings() {
  static const std::vector<std::string> all = read_json(kFolder + "strings.json");
  return all;
}

struct Golden {
  std::string start, exact;  // "COUNT:HASH"; "-": not compared
};

std::vector<Golden> read_expected(const std::string& folder) {
  std::ifstream in(folder + "/expected.txt");
  std::vector<Golden> lines;
  for (Golden line; in >> line.start >> line.exact;) lines.push_back(line);
  return lines;
}

std::string column(const std::vector<TokenId>& ids) {
  std::uint32_t hash = 0x811C9DC5;
  for (const TokenId id : ids) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (static_cast<std::uint32_t>(id.value()) >> shift & 0xFF)) * 0x01000193;
    }
  }
  return fmt::format("{}:{:08x}", ids.size(), hash);
}

std::string shown(const std::string& text) {
  return Json(text.substr(0, 60)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::vector<std::int32_t> values(const std::vector<TokenId>& ids) {
  std::vector<std::int32_t> out;
  for (const TokenId id : ids) out.push_back(id.value());
  return out;
}

// A few strings in full, so that a failure shows what differs.
void expect_ids(const std::string& folder, const Tokenizer& tokenizer, bool start) {
  const Json full = read_json(folder + "/ids.json");
  for (const auto& [index, ids] : full.items()) {
    const std::string& text = strings()[std::stoul(index)];
    EXPECT_EQ(values(start ? tokenizer.encode_start(text) : tokenizer.encode(text)),
              ids.get<std::vector<std::int32_t>>())
        << index << " " << shown(text);
  }
}

struct Family {
  std::string name;
  std::vector<std::string> controls;
};

void PrintTo(const Family& family, std::ostream* out) { *out << family.name; }

class Tokenizers : public ::testing::TestWithParam<Family> {
 protected:
  const std::string folder_ = kFolder + GetParam().name;
};

TEST_P(Tokenizers, GiveTheIdsOfTheFamilysOwn) {
  const auto tokenizer = load_tokenizer(folder_);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_ids(folder_, **tokenizer, true);
  const auto expected = read_expected(folder_);
  ASSERT_EQ(expected.size(), strings().size());
  int wrong = 0;
  for (std::size_t i = 0; i < expected.size() && wrong < 20; ++i) {
    const std::string& text = strings()[i];
    const std::string start = expected[i].start == "-" ? "-" : column((*tokenizer)->encode_start(text));
    const std::string exact = expected[i].exact == "-" ? "-" : column((*tokenizer)->encode(text));
    EXPECT_EQ(start, expected[i].start) << "encode_start of " << i << " " << shown(text);
    EXPECT_EQ(exact, expected[i].exact) << "encode of " << i << " " << shown(text);
    wrong += start != expected[i].start || exact != expected[i].exact ? 1 : 0;
  }
}

// Those with a token for every text, by byte fallback or by letters for bytes.
class WholeTokenizers : public Tokenizers {};

TEST_P(WholeTokenizers, GiveEveryTextBack) {
  const auto tokenizer = load_tokenizer(folder_);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  for (const std::string& text : strings()) {
    ASSERT_TRUE((*tokenizer)->decode((*tokenizer)->encode(text)) == text) << shown(text);
  }
}

TEST_P(Tokenizers, FindControlTokensAndNeverGiveThem) {
  const auto tokenizer = load_tokenizer(folder_);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  for (const std::string& name : GetParam().controls) {
    const auto control = (*tokenizer)->control(name);
    ASSERT_TRUE(control) << name;
    EXPECT_EQ((*tokenizer)->bytes(*control), "") << name;
    for (const std::string& text : {name, " " + name, "x" + name + "\n", name + name}) {
      for (const auto& ids : {(*tokenizer)->encode(text), (*tokenizer)->encode_start(text)}) {
        EXPECT_EQ(std::count(ids.begin(), ids.end(), *control), 0) << text;
      }
    }
  }
}

const Family kFamilies[] = {
    {"qwen2", {"<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|repo_name|>", "<|file_sep|>"}},
    {"llama3", {"<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>"}},
    {"starcoder", {"<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<repo_name>", "<file_sep>"}},
    {"santacoder", {"<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>", "<fim-pad>"}},
    {"mellum", {"<fim_suffix>", "<fim_prefix>", "<fim_middle>", "<filename>", "<|endoftext|>"}},
    {"deepseek_coder", {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<｜begin▁of▁sentence｜>"}},
    {"gpt2", {"<|endoftext|>"}},
    {"codet5", {"<s>", "</s>", "<pad>", "<extra_id_0>", "<extra_id_99>"}},
    {"mistral_v3", {"<s>", "</s>", "[INST]", "[SUFFIX]", "[PREFIX]", "[MIDDLE]"}},
    {"codellama", {"<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>", "<pad>"}},
    {"codellama_json", {"<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"}},
    {"codegemma", {"<bos>", "<eos>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<start_of_turn>"}},
    {"codegemma_json", {"<bos>", "<eos>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<start_of_turn>"}},
};

const Family kT5{"t5", {"<pad>", "</s>", "<extra_id_0>", "<extra_id_99>"}};

constexpr auto kName = [](const auto& family) { return family.param.name; };
INSTANTIATE_TEST_SUITE_P(Families, Tokenizers, ::testing::ValuesIn(kFamilies), kName);
INSTANTIATE_TEST_SUITE_P(Families, WholeTokenizers, ::testing::ValuesIn(kFamilies), kName);
INSTANTIATE_TEST_SUITE_P(T5, Tokenizers, ::testing::Values(kT5), kName);

// gpt2's vocabulary, cut as a GGUF file says.
BpeParts gpt2_parts() {
  BpeParts parts;
  const Json vocabulary = read_json(kFolder + "gpt2/vocab.json");
  parts.tokens.resize(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) parts.tokens[id.get<std::size_t>()] = token;
  std::ifstream merges(kFolder + "gpt2/merges.txt");
  std::string line;
  std::getline(merges, line);  // the version
  while (std::getline(merges, line)) parts.merges.push_back(line);
  return parts;
}

class Cuts : public ::testing::TestWithParam<const char*> {};

TEST_P(Cuts, GiveTheIdsOfThePatternsThatTheyStandFor) {
  BpeParts parts = gpt2_parts();
  parts.pre_tokenizer = GetParam();
  const auto tokenizer = make_byte_level_bpe(std::move(parts));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const std::string folder = kFolder + "pre/" + GetParam();
  expect_ids(folder, **tokenizer, false);
  const auto expected = read_expected(folder);
  ASSERT_EQ(expected.size(), strings().size());
  int wrong = 0;
  for (std::size_t i = 0; i < expected.size() && wrong < 20; ++i) {
    const std::string exact = column((*tokenizer)->encode(strings()[i]));
    EXPECT_EQ(exact, expected[i].start) << i << " " << shown(strings()[i]);
    wrong += exact != expected[i].start ? 1 : 0;
  }
}

INSTANTIATE_TEST_SUITE_P(Names, Cuts,
                         ::testing::Values("default", "gpt-2", "llama-bpe", "qwen2", "starcoder", "deepseek-coder",
                                           "deepseek-v3", "tekken", "gpt-4o", "seed-coder"));

}  // namespace
}  // namespace weft::model
