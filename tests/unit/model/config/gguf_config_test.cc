// What a GGUF file's metadata becomes, and what is refused. That it becomes what transformers writes is tested with
// real files in tests/unit/model/weights/gguf_checkpoint_test.cc.
#include "model/config/gguf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

GgufMetadata::Values llama() {
  return {{"general.architecture", std::string("llama")},  {"general.name", std::string("Tiny")},
          {"llama.block_count", std::int64_t{2}},          {"llama.embedding_length", std::int64_t{32}},
          {"llama.attention.head_count", std::int64_t{4}}, {"llama.context_length", std::int64_t{64}},
          {"llama.feed_forward_length", std::int64_t{48}}, {"llama.attention.layer_norm_rms_epsilon", 1e-5}};
}

Expected<std::string> translated(GgufMetadata::Values values, GgufTensorFacts facts = {.vocabulary = 40}) {
  return gguf_config_json(GgufMetadata(std::move(values)), facts);
}

nlohmann::json config(GgufMetadata::Values values, GgufTensorFacts facts = {.vocabulary = 40}) {
  const auto text = translated(std::move(values), std::move(facts));
  EXPECT_TRUE(text) << text.error().message;
  return nlohmann::json::parse(*text);
}

GgufMetadata::Values with(GgufMetadata::Values values, const std::string& key, GgufValue value) {
  values.insert_or_assign(key, std::move(value));
  return values;
}

TEST(GgufConfig, TakesSizesFromTheKeysAndTheRestFromTheTensors) {
  const auto json = config(llama(), {.vocabulary = 41, .has_head = true, .attention_bias = true});
  EXPECT_EQ(json["num_hidden_layers"], 2);
  EXPECT_EQ(json["num_key_value_heads"], 4);  // as many as heads, where the file does not say
  EXPECT_EQ(json["head_dim"], 8);
  EXPECT_EQ(json["vocab_size"], 41);
  EXPECT_EQ(json["tie_word_embeddings"], false);
  EXPECT_EQ(json["attention_bias"], true);
  EXPECT_EQ(json["mlp_bias"], false);
  EXPECT_EQ(json["_name_or_path"], "Tiny");
  EXPECT_EQ(config(llama())["tie_word_embeddings"], true);
}

TEST(GgufConfig, TakesAListOfEqualNumbersForTheNumber) {
  EXPECT_EQ(config(with(llama(), "llama.attention.head_count_kv", Integers{2, 2}))["num_key_value_heads"], 2);
}

TEST(GgufConfig, KnowsTheWaysToStretchPositions) {
  // Old files have a factor alone.
  EXPECT_EQ(config(with(llama(), "llama.rope.scale_linear", 4.0))["rope_scaling"],
            (nlohmann::json{{"rope_type", "linear"}, {"factor", 4.0}}));
  auto yarn = with(llama(), "llama.rope.scaling.type", std::string("yarn"));
  yarn = with(std::move(yarn), "llama.rope.scaling.factor", 4.0);
  EXPECT_THAT(translated(yarn).error().message, HasSubstr("llama.rope.scaling.original_context_length is missing"));
  yarn = with(std::move(yarn), "llama.rope.scaling.original_context_length", std::int64_t{32});
  EXPECT_EQ(config(yarn)["rope_scaling"]["original_max_position_embeddings"], 32);
  EXPECT_FALSE(config(yarn)["rope_scaling"].contains("attention_factor"));
  yarn = with(std::move(yarn), "llama.rope.scaling.attn_factor", 0.5);
  EXPECT_NEAR(config(yarn)["rope_scaling"]["attention_factor"].get<double>(), 0.5693147, 1e-6);
  EXPECT_THAT(translated(with(llama(), "llama.rope.scaling.type", std::string("longrope"))).error().message,
              HasSubstr("'longrope' is not supported, only none, linear and yarn are"));
  EXPECT_FALSE(config(with(llama(), "llama.rope.scaling.type", std::string("none"))).contains("rope_scaling"));
}

TEST(GgufConfig, RefusesDivisorsThatAreNotLlama3s) {
  EXPECT_FALSE(config(llama(), {.vocabulary = 40, .rope_factors = {1, 1, 1, 1}}).contains("rope_scaling"));
  EXPECT_THAT(translated(llama(), {.vocabulary = 40, .rope_factors = {1, 2, 8, 8}}).error().message,
              HasSubstr("rope_freqs.weight is not Llama 3's: entry 1 is 2"));
}

TEST(GgufConfig, PutsAStartInFrontOnlyWhereTheTokenizerDoes) {
  auto values = with(llama(), "tokenizer.ggml.model", std::string("gpt2"));
  values = with(std::move(values), "tokenizer.ggml.tokens", Texts{"a", "b", "c"});
  values = with(std::move(values), "tokenizer.ggml.bos_token_id", std::int64_t{1});
  values = with(std::move(values), "tokenizer.ggml.eos_token_id", std::int64_t{2});
  values = with(std::move(values), "tokenizer.ggml.eot_token_id", std::int64_t{0});
  EXPECT_FALSE(config(values).contains("bos_token_id"));
  EXPECT_EQ(config(values)["eos_token_id"], nlohmann::json::array({2, 0}));
  EXPECT_EQ(config(with(values, "tokenizer.ggml.add_bos_token", true))["bos_token_id"], 1);
  EXPECT_EQ(config(with(values, "tokenizer.ggml.model", std::string("llama")))["bos_token_id"], 1);
}

TEST(GgufConfig, SaysWhatIsMissingOrNotSupported) {
  const auto refusal = [](GgufMetadata::Values values) { return translated(std::move(values)).error().message; };
  EXPECT_THAT(refusal({}), HasSubstr("'' is not known, known are llama, qwen2, qwen3"));
  auto values = llama();
  values.erase("llama.block_count");
  EXPECT_THAT(refusal(values), HasSubstr("llama.block_count is missing"));
  EXPECT_THAT(refusal(with(llama(), "llama.attention.head_count", Integers{4, 2})), HasSubstr("head_count is missing"));
  EXPECT_THAT(refusal(with(llama(), "llama.attention.head_count", std::int64_t{0})), HasSubstr("not a number from 1"));
  EXPECT_THAT(refusal(with(llama(), "llama.expert_count", std::int64_t{8})), HasSubstr("a mixture of experts"));
  EXPECT_THAT(refusal(with(llama(), "llama.attention.value_length", std::int64_t{16})), HasSubstr("values of 16"));
}

TEST(GgufTokenizer, HasItsPartsById) {
  GgufMetadata::Values values{{"tokenizer.ggml.model", std::string("llama")},
                              {"tokenizer.ggml.tokens", Texts{"<unk>", "<s>", "a"}},
                              {"tokenizer.ggml.scores", std::vector<double>{0, 0, -1}},
                              {"tokenizer.ggml.token_type", Integers{2, 3, 0}},
                              {"tokenizer.ggml.bos_token_id", std::int64_t{1}},
                              {"tokenizer.ggml.padding_token_id", std::int64_t{0xFFFFFFFF}}};
  const auto tokenizer = gguf_tokenizer(GgufMetadata(values));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  using Kind = GgufTokenizer::Kind;
  EXPECT_THAT(tokenizer->kinds, ElementsAre(Kind::kUnknown, Kind::kControl, Kind::kNormal));
  EXPECT_THAT(tokenizer->scores, ElementsAre(0, 0, -1));
  EXPECT_TRUE(tokenizer->adds_bos && tokenizer->adds_space_prefix);
  EXPECT_FALSE(tokenizer->padding);

  const auto refusal = [&](const char* key, GgufValue value) {
    return gguf_tokenizer(GgufMetadata(with(values, key, std::move(value)))).error().message;
  };
  EXPECT_THAT(refusal("tokenizer.ggml.scores", std::vector<double>{0}), HasSubstr("1 token scores for 3 tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.token_type", Integers{1}), HasSubstr("1 token types for 3 tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.token_type", Integers{1, 1, 9}), HasSubstr("token 2 is of type 9"));
  EXPECT_THAT(refusal("tokenizer.ggml.eos_token_id", std::int64_t{3}),
              HasSubstr("eos_token_id is 3, there are 3 tokens"));
  EXPECT_THAT(gguf_tokenizer(GgufMetadata()).error().message, HasSubstr("no tokenizer"));
}

}  // namespace
}  // namespace weft::model
