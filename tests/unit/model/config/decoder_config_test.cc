// config.json of the families that differ from Llama: windows, rotary scaling, experts, multipliers, GPT-2's fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/config/model_config.h"
#include "tests/unit/model/config/config_case.h"

namespace weft::model {
namespace {

using nlohmann::json;
using test::parsed;
using test::refusal;
using testing::HasSubstr;

json base(const std::string& architecture) {
  json config = json::parse(R"({"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 96, "vocab_size": 128,
    "max_position_embeddings": 512})");
  config["architectures"] = {architecture};
  return config;
}

std::vector<bool> windowed(const ModelConfig& config) {
  std::vector<bool> out;
  for (int layer = 0; layer < config.layers; ++layer) out.push_back(config.layer(layer).windowed);
  return out;
}

TEST(Windows, OfMistralAreOfEveryLayerOrNone) {
  json object = base("MistralForCausalLM");
  object["sliding_window"] = 100;
  EXPECT_EQ(windowed(parsed(object)), std::vector<bool>(3, true));
  EXPECT_EQ(parsed(object).window, 100);
  object["sliding_window"] = nullptr;
  EXPECT_EQ(windowed(parsed(object)), std::vector<bool>(3, false));
  EXPECT_EQ(parsed(object).window, 0);
}

TEST(Windows, OfQwenAreSwitchedOnAndBeginAtALayer) {
  json object = base("Qwen2ForCausalLM");
  object["sliding_window"] = 100;
  object["max_window_layers"] = 2;
  EXPECT_EQ(windowed(parsed(object)), std::vector<bool>(3, false));
  object["use_sliding_window"] = true;
  EXPECT_EQ(windowed(parsed(object)), (std::vector<bool>{false, false, true}));
  object["layer_types"] = {"sliding_attention", "full_attention", "full_attention"};
  EXPECT_EQ(windowed(parsed(object)), (std::vector<bool>{true, false, false}));
  object.erase("sliding_window");
  EXPECT_THAT(refusal(object), HasSubstr("sliding_window is missing"));
  object["layer_types"] = {"sliding_attention"};
  EXPECT_THAT(refusal(object), HasSubstr("layer_types has 1 entries for 3 layers"));
}

TEST(Rotary, ReadsEveryScaling) {
  json object = base("LlamaForCausalLM");
  object["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  EXPECT_EQ(parsed(object).rotary.scaling, RotaryConfig::Scaling::kLinear);
  EXPECT_EQ(parsed(object).rotary.factor, 4);
  object["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 64}};
  EXPECT_EQ(parsed(object).rotary.original_positions, 64);
  object["rope_scaling"]["high_freq_factor"] = 1.0;
  EXPECT_THAT(refusal(object), HasSubstr("rope_scaling: high_freq_factor 1 is not above low_freq_factor 1"));
  object["rope_scaling"] = {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}};
  EXPECT_NEAR(parsed(object).rotary.attention_factor, 1.13863, 1e-5);  // 0.1 ln 4 + 1
  object["rope_scaling"]["attention_factor"] = 1.5;
  EXPECT_EQ(parsed(object).rotary.attention_factor, 1.5);
  object["rope_scaling"].erase("factor");
  EXPECT_THAT(refusal(object), HasSubstr("rope_scaling: factor is missing"));
  object["rope_scaling"] = {{"type", "longrope"}, {"factor", 4.0}};
  EXPECT_THAT(refusal(object), HasSubstr("type 'longrope' is not supported, only default, linear, llama3, yarn are"));
}

TEST(Rotary, ReadsThePartOfAHead) {
  json object = base("StableLmForCausalLM");
  EXPECT_EQ(parsed(object).rotary.dim, 4);
  object["partial_rotary_factor"] = 0.5;
  EXPECT_EQ(parsed(object).rotary.dim, 8);
  object["partial_rotary_factor"] = 0.2;
  EXPECT_THAT(refusal(object), HasSubstr("3 features of a head_dim of 16 are rotated"));
}

TEST(Rotary, ReadsTheObjectsOfBothKindsOfLayers) {
  json object = base("MellumForCausalLM");
  object.update({{"num_experts", 4},
                 {"num_experts_per_tok", 2},
                 {"moe_intermediate_size", 8},
                 {"sliding_window", 9},
                 {"layer_types", {"full_attention", "sliding_attention", "full_attention"}}});
  object["rope_parameters"] = {{"full_attention", {{"rope_theta", 5e5}, {"rope_type", "default"}}},
                               {"sliding_attention", {{"rope_theta", 1e4}, {"rope_type", "default"}}}};
  EXPECT_EQ(parsed(object).rotary.theta, 5e5);
  EXPECT_EQ(parsed(object).window_rotary.theta, 1e4);
  object["rope_parameters"]["linear_attention"] = json::object();
  EXPECT_THAT(refusal(object), HasSubstr("linear_attention is not known"));
}

TEST(Experts, AreReadInBothSpellings) {
  json object = base("Qwen3MoeForCausalLM");
  object.update(
      {{"num_experts", 8}, {"num_experts_per_tok", 2}, {"moe_intermediate_size", 24}, {"mlp_only_layers", {1}}});
  const ModelConfig config = parsed(object);
  EXPECT_EQ(config.experts, (ExpertsConfig{8, 2, 24, false}));
  EXPECT_TRUE(config.layer(0).experts && !config.layer(1).experts && config.layer(2).experts);
  object["num_local_experts"] = 6;
  EXPECT_EQ(parsed(object).experts->count, 6);
  object["decoder_sparse_step"] = 2;
  EXPECT_FALSE(parsed(object).layer(0).experts);
  object["num_experts_per_tok"] = 7;
  EXPECT_THAT(refusal(object), HasSubstr("num_experts_per_tok 7 is more than the 6 experts"));
  object.erase("num_experts_per_tok");
  EXPECT_THAT(refusal(object), HasSubstr("num_experts_per_tok is missing"));
}

TEST(Gemma, MeansTheApproximationByGeluAndScalesEmbeddings) {
  json object = base("GemmaForCausalLM");
  object["hidden_act"] = "gelu";
  EXPECT_EQ(parsed(object).activation, Activation::kGeluTanh);
  EXPECT_EQ(parsed(object).embedding_multiplier, 8);
  EXPECT_TRUE(parsed(object).tied);
}

TEST(Granite, ReadsItsMultipliers) {
  json object = base("GraniteForCausalLM");
  object.update({{"embedding_multiplier", 12.0},
                 {"residual_multiplier", 0.22},
                 {"attention_multiplier", 0.0078125},
                 {"logits_scaling", 16.0}});
  const ModelConfig config = parsed(object);
  EXPECT_EQ(config.embedding_multiplier, 12);
  EXPECT_EQ(config.residual_multiplier, 0.22);
  EXPECT_EQ(config.attention_scale(), 0.0078125);
  EXPECT_EQ(config.logits_divisor, 16);
}

TEST(Gpt2, HasFieldsOfItsOwn) {
  json object = json::parse(R"({"architectures": ["GPT2LMHeadModel"], "n_layer": 2, "n_embd": 64, "n_head": 4,
    "n_positions": 32, "vocab_size": 128})");
  const ModelConfig config = parsed(object);
  EXPECT_EQ(config.intermediate, 256);
  EXPECT_EQ(config.kv_heads, 4);
  EXPECT_EQ(config.max_positions, 32);
  EXPECT_TRUE(config.qkv_bias && config.output_bias && config.mlp_bias && config.tied);
  object["scale_attn_by_inverse_layer_idx"] = true;
  EXPECT_THAT(refusal(object), HasSubstr("scale_attn_by_inverse_layer_idx is not supported"));
  object.erase("scale_attn_by_inverse_layer_idx");
  object["architectures"] = {"GPTBigCodeForCausalLM"};
  EXPECT_EQ(parsed(object).kv_heads, 1);
  object["multi_query"] = false;
  EXPECT_THAT(refusal(object), HasSubstr("multi_query false is not supported"));
}

TEST(Foreign, IsRefusedByNameWithTheReason) {
  json object = base("CodeT5pEncoderDecoderModel");
  EXPECT_THAT(refusal(object), HasSubstr("CodeT5+ from 2B on is another architecture"));
  EXPECT_THAT(refusal(object), HasSubstr("known are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM"));
}

}  // namespace
}  // namespace weft::model
