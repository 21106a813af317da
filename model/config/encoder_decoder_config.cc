#include "model/config/encoder_decoder_config.h"

#include <algorithm>
#include <array>

#include "model/base/check.h"

namespace weft::model {
namespace {

constexpr JsonFields::Limits kLayers{1, 1024}, kHidden{1, 1 << 17}, kHeads{1, 1 << 10}, kHeadDim{1, 1 << 10},
    kIntermediate{1, 1 << 20}, kVocabulary{1, 1 << 22}, kPositions{1, 1 << 24}, kBuckets{4, 1 << 12},
    kDistance{1, 1 << 20};
constexpr int kUsualPositions = 512;  // what T5 and CodeT5 were trained on; newer transformers leave it out

struct FeedForwardRow {
  std::string_view name;  // feed_forward_proj
  Activation activation;
  bool gated;
};
constexpr std::array<FeedForwardRow, 3> kFeedForwards{{{"relu", Activation::kRelu, false},
                                                       {"gated-gelu", Activation::kGeluTanh, true},
                                                       {"gated-silu", Activation::kSilu, true}}};

void read_feed_forward(JsonFields& fields, ModelConfig& config) {
  const std::string name = fields.text("feed_forward_proj", kFeedForwards.front().name);
  const auto row = std::ranges::find(kFeedForwards, name, &FeedForwardRow::name);
  if (row == kFeedForwards.end()) {
    std::string known;
    for (const FeedForwardRow& each : kFeedForwards) known.append(known.empty() ? "" : ", ").append(each.name);
    fields.fail(fmt::format("feed_forward_proj '{}' is not supported, only {} are", name, known));
    return;
  }
  config.activation = row->activation;
  config.gated_mlp = row->gated;
}

// T5 1.0 ties the head and scales what goes into it, 1.1 does neither. Older config.json say so by tie_word_embeddings;
// newer transformers always write that as true, and scale_decoder_outputs beside it.
void read_head(JsonFields& fields, ModelConfig& config) {
  const bool tied = fields.flag("tie_word_embeddings", config.architecture->tied_by_default);
  config.scaled_output = fields.flag("scale_decoder_outputs", tied);
  config.tied = tied && config.scaled_output;
}

std::int32_t first_id(JsonFields& fields, std::string_view field, int vocabulary, std::int32_t absent) {
  const std::vector<std::int32_t> ids = fields.ids(field, vocabulary);
  return ids.empty() ? absent : ids.front();
}

}  // namespace

void read_encoder_decoder(JsonFields& fields, ModelConfig& config) {
  EncoderConfig encoder;
  encoder.layers = fields.integer("num_layers", kLayers);
  config.layers = fields.integer("num_decoder_layers", kLayers, encoder.layers);
  config.hidden = fields.integer("d_model", kHidden);
  config.heads = config.kv_heads = fields.integer("num_heads", kHeads);
  config.head_dim = fields.integer("d_kv", kHeadDim);
  config.intermediate = fields.integer("d_ff", kIntermediate);
  config.vocabulary = fields.integer("vocab_size", kVocabulary);
  config.max_positions = fields.integer("n_positions", kPositions, kUsualPositions);
  config.norm_eps = fields.number("layer_norm_epsilon", 0.0, 1.0, config.norm_eps);
  encoder.position_buckets = fields.integer("relative_attention_num_buckets", kBuckets, encoder.position_buckets);
  encoder.position_distance = fields.integer("relative_attention_max_distance", kDistance, encoder.position_distance);
  // Half of a direction's buckets are for one distance each; the logarithmic rest needs room behind them.
  if (encoder.position_buckets % 4 != 0 || encoder.position_distance <= encoder.position_buckets / 2) {
    fields.fail(
        fmt::format("relative_attention_num_buckets {} over a relative_attention_max_distance of {} is not "
                    "supported: a multiple of 4 whose half is below the distance is",
                    encoder.position_buckets, encoder.position_distance));
  }
  read_feed_forward(fields, config);
  read_head(fields, config);
  if (fields.find("quantization_config") != nullptr) fields.fail("quantization_config is not supported");
  encoder.padding = first_id(fields, "pad_token_id", config.vocabulary, encoder.padding);
  encoder.decoder_start = first_id(fields, "decoder_start_token_id", config.vocabulary, encoder.padding);
  config.encoder = encoder;
}

void write_encoder_decoder(const ModelConfig& config, nlohmann::ordered_json& out) {
  const auto row = std::ranges::find_if(kFeedForwards, [&](const FeedForwardRow& each) {
    return each.activation == config.activation && each.gated == config.gated_mlp;
  });
  WEFT_CHECK(row != kFeedForwards.end() && config.encoder);
  out.update({{"is_encoder_decoder", true},
              {"num_layers", config.encoder->layers},
              {"num_decoder_layers", config.layers},
              {"d_model", config.hidden},
              {"num_heads", config.heads},
              {"d_kv", config.head_dim},
              {"d_ff", config.intermediate},
              {"vocab_size", config.vocabulary},
              {"n_positions", config.max_positions},
              {"layer_norm_epsilon", config.norm_eps},
              {"relative_attention_num_buckets", config.encoder->position_buckets},
              {"relative_attention_max_distance", config.encoder->position_distance},
              {"feed_forward_proj", row->name},
              {"tie_word_embeddings", config.tied},
              {"scale_decoder_outputs", config.scaled_output},
              {"pad_token_id", config.encoder->padding},
              {"decoder_start_token_id", config.encoder->decoder_start}});
}

}  // namespace weft::model
