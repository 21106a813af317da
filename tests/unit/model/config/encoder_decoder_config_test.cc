// config.json of T5 and CodeT5: both ways of saying what kind of head there is, and what is refused by name.
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
using ::testing::HasSubstr;

// As CodeT5 writes it.
json code_t5() {
  return json::parse(R"({"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 64,
    "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4, "vocab_size": 128,
    "n_positions": 256, "feed_forward_proj": "relu", "layer_norm_epsilon": 1e-06, "relative_attention_num_buckets": 32,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "decoder_start_token_id": 0, "is_encoder_decoder": true})");
}

TEST(EncoderDecoderConfig, ReadsCodeT5) {
  const ModelConfig config = parsed(code_t5());
  ASSERT_TRUE(config.encoder);
  EXPECT_EQ(config.encoder->layers, 2);
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.kv_heads, 4);
  EXPECT_EQ(config.max_positions, 256);
  EXPECT_EQ(config.encoder->position_distance, 128);
  EXPECT_EQ(config.activation, Activation::kRelu);
  EXPECT_TRUE(config.tied && config.scaled_output && !config.gated_mlp);
  EXPECT_EQ(config.bos, 1);
  EXPECT_EQ(config.encoder->end, 2);
  const std::size_t attention = 4 * 64 * 64 + 64, feed_forward = 2 * 64 * 96 + 64;
  EXPECT_EQ(config.parameters(),
            128U * 64 + 2 * (attention + feed_forward) + 3 * (2 * attention + feed_forward) + 2 * 32 * 4 + 2 * 64);
}

TEST(EncoderDecoderConfig, HasTheDefaultsOfT5) {
  json object = code_t5();
  for (const char* field : {"num_decoder_layers", "n_positions", "bos_token_id", "decoder_start_token_id",
                            "eos_token_id", "feed_forward_proj"}) {
    object.erase(field);
  }
  object["pad_token_id"] = 5;
  const ModelConfig config = parsed(object);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.max_positions, 512);
  EXPECT_EQ(config.bos, -1);
  EXPECT_EQ(config.encoder->end, -1);
  EXPECT_EQ(config.encoder->decoder_start, 5);
  EXPECT_EQ(config.activation, Activation::kRelu);
}

TEST(EncoderDecoderConfig, KnowsTheHeadOf11InOldAndInNewWords) {
  json object = code_t5();
  object["feed_forward_proj"] = "gated-gelu";
  object["tie_word_embeddings"] = false;
  const ModelConfig old = parsed(object);
  EXPECT_EQ(old.activation, Activation::kGeluTanh);
  EXPECT_TRUE(old.gated_mlp);
  EXPECT_FALSE(old.tied || old.scaled_output);
  object["tie_word_embeddings"] = true;
  object["scale_decoder_outputs"] = false;
  const ModelConfig newer = parsed(object);
  EXPECT_FALSE(newer.tied || newer.scaled_output);
  EXPECT_EQ(newer.parameters(), old.parameters());
}

TEST(EncoderDecoderConfig, ComesBackFromItsOwnJson) {
  for (const char* feed_forward : {"relu", "gated-gelu", "gated-silu"}) {
    json object = code_t5();
    object["feed_forward_proj"] = feed_forward;
    object["tie_word_embeddings"] = std::string_view(feed_forward) == "relu";
    object["pad_token_id"] = 7;
    const ModelConfig first = parsed(object);
    const std::string written = to_json(first);
    const ModelConfig second = parsed(json::parse(written));
    EXPECT_EQ(to_json(second), written);
    EXPECT_EQ(second.parameters(), first.parameters());
    EXPECT_EQ(json::parse(written)["feed_forward_proj"], feed_forward);
    EXPECT_EQ(json::parse(written)["pad_token_id"], 7);
  }
}

TEST(EncoderDecoderConfig, RefusesByName) {
  for (const char* field : {"d_model", "d_kv", "d_ff", "num_layers", "num_heads", "vocab_size"}) {
    json object = code_t5();
    object.erase(field);
    EXPECT_THAT(refusal(object), HasSubstr(std::string(field) + " is missing"));
  }
  json object = code_t5();
  object["feed_forward_proj"] = "gated-swish";
  EXPECT_THAT(refusal(object), HasSubstr("'gated-swish' is not supported, only relu, gated-gelu, gated-silu"));
  object = code_t5();
  object["relative_attention_max_distance"] = 16;
  EXPECT_THAT(refusal(object), HasSubstr("relative_attention_max_distance of 16"));
  object = code_t5();
  object["architectures"] = {"CodeT5pEncoderDecoderModel"};
  EXPECT_THAT(refusal(object), HasSubstr("'CodeT5pEncoderDecoderModel': CodeT5+ from 2B on"));
}

}  // namespace
}  // namespace weft::model
