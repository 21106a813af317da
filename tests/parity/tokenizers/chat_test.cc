// Parity: talks in every chat format against the ids that its references give. make_chat_goldens.py beside this made
// the golden and says how.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "generation/chat_prompt.h"
#include "tests/parity/tokenizers/named_tokenizer.h"

namespace weft::generation {
namespace {

using Json = nlohmann::json;
using test::NamedTokenizer;

const std::string kFolder = std::string(WEFT_SOURCE_DIR) + "/tests/parity/tokenizers/golden/";

const Json& golden() {
  static const Json all = Json::parse(std::ifstream(kFolder + "chat.json"));
  return all;
}

NamedTokenizer tokenizer_of(const Json& family) {
  auto own = model::load_tokenizer(kFolder + family["tokenizer"].get<std::string>());
  WEFT_CHECK(own.has_value());
  return {*std::move(own), family["controls"]};
}

std::optional<model::ChatFormat> format_of(const model::Tokenizer& tokenizer) {
  return model::find_chat_format([&](std::string_view name) { return tokenizer.control(name).has_value(); });
}

std::vector<ChatTurn> turns_of(const Json& talk) {
  std::vector<ChatTurn> turns;
  for (const Json& turn : talk) {
    const std::string role = turn[0];
    turns.push_back({role == "system" ? ChatRole::kSystem
                     : role == "user" ? ChatRole::kUser
                                      : ChatRole::kAssistant,
                     turn[1]});
  }
  return turns;
}

class ChatPrompts : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ChatPrompts, HaveTheIdsOfTheFamilysOwn) {
  const Json& family = golden()["families"][GetParam()];
  const NamedTokenizer tokenizer = tokenizer_of(family);
  const auto format = format_of(tokenizer);
  ASSERT_TRUE(format);
  EXPECT_EQ(format->name, family["family"].get<std::string>());
  EXPECT_TRUE(tokenizer.control(format->end));
  for (std::size_t i = 0; i < golden()["talks"].size(); ++i) {
    const Json& talk = golden()["talks"][i];
    const auto prompt = lay_out_chat(turns_of(talk), *format, tokenizer);
    ASSERT_EQ(prompt.has_value(), !family["prompts"][i].is_null()) << talk.dump();
    if (!prompt) continue;
    std::vector<std::int32_t> ids;
    for (const TokenId id : *prompt) ids.push_back(id.value());
    EXPECT_EQ(ids, family["prompts"][i].get<std::vector<std::int32_t>>()) << talk.dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ChatPrompts, ::testing::Range(std::size_t{0}, golden()["families"].size()),
                         [](const auto& index) {
                           std::string name = golden()["families"][index.param]["family"];
                           std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

TEST(ChatPrompt, RefusesWhatIsNoTalk) {
  const NamedTokenizer tokenizer = tokenizer_of(golden()["families"][0]);
  const model::ChatFormat format = *format_of(tokenizer);
  const auto error = [&](const std::vector<ChatTurn>& turns) {
    const auto prompt = lay_out_chat(turns, format, tokenizer);
    return prompt ? "" : prompt.error().message;
  };
  EXPECT_EQ(error({}), "a talk ends with a user's turn, this one has 0 turns");
  EXPECT_EQ(error({{ChatRole::kUser, "a"}, {ChatRole::kAssistant, "b"}}),
            "a talk ends with a user's turn, this one has 2 turns");
  EXPECT_EQ(error({{ChatRole::kAssistant, "a"}}), "turn 1 of a talk is not a user's");
  EXPECT_EQ(error({{ChatRole::kUser, "a"}, {ChatRole::kSystem, "b"}, {ChatRole::kUser, "c"}}),
            "turn 2 of a talk is not an assistant's");
  EXPECT_EQ(error({{ChatRole::kUser, "a"}}), "");
}

TEST(ChatPrompt, ThereIsNoneForCodeModelsThatOnlyFillIn) {
  EXPECT_FALSE(model::find_chat_format([](std::string_view name) { return name == "<fim_prefix>"; }));
  EXPECT_FALSE(model::find_chat_format(
      [](std::string_view name) { return name == "<s>" || name == "</s>" || name == "▁<PRE>" || name == "<step>"; }));
}

}  // namespace
}  // namespace weft::generation
