// config.json: the three families are read as transformers means them, and what weft cannot honour is refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/config/model_config.h"
#include "tests/unit/model/config/config_case.h"

namespace weft::model {
namespace {

using nlohmann::json;
using test::parsed;
using test::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json qwen3() {
  return json::parse(R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
    "intermediate_size": 96, "vocab_size": 128, "max_position_embeddings": 512, "rope_theta": 1000000.0,
    "rms_norm_eps": 1e-6, "tie_word_embeddings": true, "hidden_act": "silu", "rope_scaling": null,
    "sliding_window": null, "use_sliding_window": false, "attention_bias": false, "eos_token_id": 3})");
}

json llama() {
  json config = qwen3();
  config["architectures"] = {"LlamaForCausalLM"};
  config["model_type"] = "llama";
  config.erase("head_dim");
  config.erase("tie_word_embeddings");
  return config;
}

TEST(ModelConfig, ReadsQwen3) {
  const ModelConfig config = parsed(qwen3());
  EXPECT_EQ(config.architecture->name, "Qwen3ForCausalLM");
  EXPECT_TRUE(config.architecture->qk_norm);
  EXPECT_EQ(config.head_dim, 32);
  EXPECT_EQ(config.rotary.theta, 1e6);
  EXPECT_TRUE(config.tied);
  EXPECT_FALSE(config.qkv_bias);
  EXPECT_EQ(config.name, "folder");
  EXPECT_THAT(config.eos, ElementsAre(3));
  EXPECT_FALSE(config.fim.available());
  // Embedding; per block 4 projections, 3 matrices of the MLP, 4 norms; last norm. The head is tied.
  EXPECT_EQ(config.parameters(), 128U * 64 + 2 * (2 * 64 * 128 + 2 * 64 * 64 + 3 * 64 * 96 + 2 * 64 + 2 * 32) + 64);
}

TEST(ModelConfig, ReadsLlamaWithItsDefaults) {
  json object = llama();
  object.erase("num_key_value_heads");
  object["bos_token_id"] = 1;
  object["eos_token_id"] = {2, 3};
  object["_name_or_path"] = "maker/llama";
  const ModelConfig config = parsed(object);
  EXPECT_EQ(config.kv_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_FALSE(config.tied);
  EXPECT_EQ(config.bos, 1);
  EXPECT_THAT(config.eos, ElementsAre(2, 3));
  EXPECT_EQ(config.name, "maker/llama");
}

TEST(ModelConfig, GivesLlamaTheBiasesThatItAsksFor) {
  json object = llama();
  const std::size_t plain = parsed(object).parameters();
  object["attention_bias"] = object["mlp_bias"] = true;
  const ModelConfig config = parsed(object);
  EXPECT_TRUE(config.qkv_bias && config.output_bias && config.mlp_bias);
  EXPECT_EQ(config.parameters(), plain + 2 * ((64 + 32 + 32) + 64 + (96 + 96 + 64)));
}

TEST(ModelConfig, GivesQwen2BiasesOnQkvAloneAndNoBos) {
  json object = llama();
  object["architectures"] = {"Qwen2ForCausalLM"};
  object["bos_token_id"] = 1;
  const ModelConfig config = parsed(object);
  EXPECT_TRUE(config.qkv_bias);
  EXPECT_FALSE(config.output_bias || config.mlp_bias);
  EXPECT_EQ(config.bos, -1);
}

TEST(ModelConfig, TakesTheFamilyFromModelTypeWithoutArchitectures) {
  json object = qwen3();
  object.erase("architectures");
  EXPECT_EQ(parsed(object).architecture->name, "Qwen3ForCausalLM");
}

TEST(ModelConfig, ReadsTheRotaryObjectOfNewerTransformers) {
  json object = qwen3();
  object.erase("rope_theta");
  object["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5000.0}};
  EXPECT_EQ(parsed(object).rotary.theta, 5000.0);
}

TEST(ModelConfig, ReadsTheInfillingFormat) {
  json object = qwen3();
  object["weft_fim"] = {{"prefix", "<p>"}, {"suffix", "<s>"}, {"middle", "<m>"}, {"layout", "spm"}, {"stops", {"<e>"}}};
  const ModelConfig config = parsed(object);
  EXPECT_TRUE(config.fim.available());
  EXPECT_EQ(config.fim.suffix, "<s>");
  EXPECT_EQ(config.fim.layout, FimLayout::kSpm);
  EXPECT_THAT(config.fim.stops, ElementsAre("<e>"));
}

TEST(ModelConfig, ComesBackFromItsOwnJson) {
  json object = llama();
  object["attention_bias"] = true;
  object["bos_token_id"] = 0;
  object["rope_theta"] = 12345.678;
  object["weft_fim"] = {{"prefix", "<p>"}, {"suffix", "<s>"}, {"middle", "<m>"}, {"layout", "psm"}, {"stops", {"<e>"}}};
  const ModelConfig first = parsed(object);
  const std::string written = to_json(first);
  const auto second = parse_model_config(written, "elsewhere");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(to_json(*second), written);
  EXPECT_EQ(second->name, "folder");
  EXPECT_EQ(second->rotary.theta, 12345.678);
  EXPECT_EQ(second->bos, 0);
  EXPECT_EQ(second->parameters(), first.parameters());
  EXPECT_EQ(json::parse(written)["architectures"], json({"LlamaForCausalLM"}));
}

TEST(ModelConfig, ListsTheKnownFamiliesForAnUnknownOne) {
  json object = qwen3();
  object["architectures"] = {"MambaForCausalLM"};
  EXPECT_THAT(refusal(object), HasSubstr("'MambaForCausalLM'; known are LlamaForCausalLM, MistralForCausalLM, Qwen2"));
}

TEST(ModelConfig, NamesTheMissingField) {
  for (const char* field : {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                            "vocab_size", "max_position_embeddings", "head_dim"}) {
    json object = qwen3();
    object.erase(field);
    EXPECT_THAT(refusal(object), HasSubstr(std::string(field) + " is missing")) << field;
    object[field] = nullptr;
    EXPECT_THAT(refusal(object), HasSubstr(std::string(field) + " is missing")) << field;
  }
}

TEST(ModelConfig, NamesTheAbsurdField) {
  const std::vector<std::pair<std::string, json>> cases = {
      {"hidden_size", 0},         {"hidden_size", -64},
      {"hidden_size", 1e30},      {"num_hidden_layers", 100000},
      {"num_hidden_layers", "2"}, {"vocab_size", 18446744073709551615U},
      {"head_dim", 33},           {"num_key_value_heads", 0},
      {"rope_theta", -1.0},       {"rope_theta", "fast"},
      {"rms_norm_eps", 0.0},      {"eos_token_id", 128},
      {"eos_token_id", {1, -2}},  {"tie_word_embeddings", 1},
      {"_name_or_path", 7},       {"architectures", "Qwen3"}};
  for (const auto& [field, value] : cases) {
    json object = qwen3();
    object[field] = value;
    EXPECT_THAT(refusal(object), HasSubstr(field)) << field << " = " << value;
  }
  json object = qwen3();
  object["num_key_value_heads"] = 3;
  EXPECT_THAT(refusal(object), HasSubstr("num_attention_heads 4 is not divisible by num_key_value_heads 3"));
}

TEST(ModelConfig, RefusesWhatItCannotHonour) {
  const std::vector<std::pair<std::string, json>> cases = {{"rope_scaling", {{"type", "dynamic"}, {"factor", 4.0}}},
                                                           {"rope_parameters", {{"rope_type", "longrope"}}},
                                                           {"layer_types", {"full_attention", "linear_attention"}},
                                                           {"hidden_act", "swish2"},
                                                           {"use_parallel_residual", true},
                                                           {"quantization_config", {{"bits", 4}}}};
  for (const auto& [field, value] : cases) {
    json object = qwen3();
    object[field] = value;
    EXPECT_THAT(refusal(object), HasSubstr(field)) << field << " = " << value;
    EXPECT_THAT(refusal(object), HasSubstr("not supported")) << field << " = " << value;
  }
  json object = qwen3();
  object["rope_scaling"] = {{"rope_type", "default"}};
  EXPECT_EQ(refusal(object), "");
}

TEST(ModelConfig, RefusesAHalfInfillingFormat) {
  json object = qwen3();
  object["weft_fim"] = {{"prefix", "<p>"}};
  EXPECT_THAT(refusal(object), HasSubstr("weft_fim"));
  object["weft_fim"] = {{"prefix", "<p>"}, {"suffix", "<s>"}, {"middle", "<m>"}, {"layout", "msp"}};
  EXPECT_THAT(refusal(object), HasSubstr("known are psm, spm"));
}

TEST(ModelConfig, SaysWhenAFileIsMissingOrNotJson) {
  const std::string folder = ::testing::TempDir() + "weft_config_test";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder + "/config.json");
  const auto missing = read_model_config(folder);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("config.json: No such file"));
  std::ofstream(folder + "/config.json") << "{\"hidden_size\": ";
  const auto broken = read_model_config(folder);
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("not a JSON object"));
  std::ofstream(folder + "/config.json") << qwen3();
  const auto good = read_model_config(folder + "/");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->name, "weft_config_test");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::model
