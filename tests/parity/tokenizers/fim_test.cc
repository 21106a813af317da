// Parity: infilling prompts of every family against the ids that its references give. make_fim_goldens.py beside this
// made the golden and says how its prompts are put together.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "generation/completion/fim_prompt.h"
#include "model/config/fim_formats.h"
#include "tests/parity/tokenizers/named_tokenizer.h"

namespace weft::generation {
namespace {

using Json = nlohmann::json;

const std::string kFolder = std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/";

const Json& golden() {
  static const Json all = Json::parse(std::ifstream(kFolder + "fim.json"));
  return all;
}

FimParts parts_of(const Json& each, const model::FimFormat& format, const model::Tokenizer& tokenizer) {
  FimParts parts;
  for (const Json& file : each.value("context", Json::array())) parts.context.push_back({file[0], file[1]});
  parts.repository = each.value("repository", "");
  parts.path = each.value("path", "");
  const std::string prefix = each["prefix"], suffix = each["suffix"];
  const bool starts = format.starts_prefix && (parts.context.empty() || format.header == model::FileHeader::kNone);
  parts.prefix = starts ? tokenizer.encode_start(prefix) : tokenizer.encode(prefix);
  parts.suffix = tokenizer.encode(suffix);
  return parts;
}

class FimPrompts : public ::testing::TestWithParam<std::size_t> {};

TEST_P(FimPrompts, HaveTheIdsOfTheFamilysOwn) {
  const Json& family = golden()["families"][GetParam()];
  auto own = model::load_tokenizer(kFolder + family["tokenizer"].get<std::string>());
  ASSERT_TRUE(own) << own.error().message;
  const test::NamedTokenizer tokenizer(*std::move(own), family["controls"]);
  const auto* architecture = model::find_architecture(family["architecture"].get<std::string>());
  ASSERT_NE(architecture, nullptr);
  const model::FimFormat format =
      model::find_fim_format(*architecture, [&](std::string_view name) { return tokenizer.control(name).has_value(); });
  ASSERT_TRUE(format.available());
  for (std::size_t i = 0; i < golden()["cases"].size(); ++i) {
    const Json& each = golden()["cases"][i];
    if (family["prompts"][i].is_null()) continue;
    const auto prompt = lay_out(parts_of(each, format, tokenizer), format, tokenizer);
    ASSERT_TRUE(prompt) << prompt.error().message;
    std::vector<std::int32_t> ids;
    for (const TokenId id : *prompt) ids.push_back(id.value());
    EXPECT_EQ(ids, family["prompts"][i].get<std::vector<std::int32_t>>()) << "case " << i << ": " << each.dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FimPrompts, ::testing::Range(std::size_t{0}, golden()["families"].size()),
                         [](const auto& index) {
                           std::string name = golden()["families"][index.param]["family"];
                           std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace weft::generation
