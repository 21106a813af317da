#include <utility>

#include "model/base/check.h"
#include "model/config/encoder_decoder_names.h"
#include "model/config/weight_specs.h"

namespace weft::model {
namespace {

class SpecList {
 public:
  explicit SpecList(const ModelConfig& config) : config_(config) {}
  void add(std::string name, std::vector<std::int64_t> shape, WeightSpec::Shard shard) {
    WeightSpec spec{std::move(name), std::move(shape), shard};
    spec.tensor = spec.name;
    spec.rows = spec.shape.front();
    specs_.push_back(std::move(spec));
  }
  void norm(const std::string& name) { add(name + ".weight", {config_.hidden}, WeightSpec::Shard::kNone); }
  void attention(std::string_view stack, int block, int part, std::string_view name) {
    const std::int64_t inner = std::int64_t{config_.heads} * config_.head_dim;
    const std::string module = part_name(stack, block, part, name);
    norm(part_name(stack, block, part, "layer_norm"));
    for (const char* linear : {".q.weight", ".k.weight", ".v.weight"}) {
      add(module + linear, {inner, config_.hidden}, WeightSpec::Shard::kRows);
    }
    add(module + ".o.weight", {config_.hidden, inner}, WeightSpec::Shard::kColumns);
  }
  void feed_forward(std::string_view stack, int block, int part) {
    const std::string module = part_name(stack, block, part, "DenseReluDense");
    norm(part_name(stack, block, part, "layer_norm"));
    for (const std::string& linear : input_names(config_)) {
      add(module + linear + ".weight", {config_.intermediate, config_.hidden}, WeightSpec::Shard::kRows);
    }
    add(module + ".wo.weight", {config_.hidden, config_.intermediate}, WeightSpec::Shard::kColumns);
  }
  void positions(std::string_view stack) {
    add(positions_name(stack), {config_.encoder->position_buckets, config_.heads}, WeightSpec::Shard::kColumns);
  }
  std::vector<WeightSpec> take() { return std::move(specs_); }

 private:
  const ModelConfig& config_;
  std::vector<WeightSpec> specs_;
};

}  // namespace

std::vector<WeightSpec> encoder_decoder_weight_specs(const ModelConfig& config) {
  WEFT_CHECK(config.encoder.has_value());
  SpecList specs(config);
  specs.add(kSharedEmbedding, {config.vocabulary, config.hidden}, WeightSpec::Shard::kRows);
  specs.positions("encoder");
  for (int block = 0; block < config.encoder->layers; ++block) {
    specs.attention("encoder", block, 0, "SelfAttention");
    specs.feed_forward("encoder", block, 1);
  }
  specs.norm("encoder.final_layer_norm");
  specs.positions("decoder");
  for (int block = 0; block < config.layers; ++block) {
    specs.attention("decoder", block, 0, "SelfAttention");
    specs.attention("decoder", block, 1, "EncDecAttention");
    specs.feed_forward("decoder", block, 2);
  }
  specs.norm("decoder.final_layer_norm");
  if (!config.tied) specs.add("lm_head.weight", {config.vocabulary, config.hidden}, WeightSpec::Shard::kRows);
  return specs.take();
}

}  // namespace weft::model
