#include "model/layers/transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/silu.h>

#include <unordered_map>

#include "model/layers/encoder_decoder.h"

namespace weft::model {
namespace {

using Lookup = std::function<at::Tensor(const std::string&)>;

std::string block_name(int layer, std::string_view part) { return fmt::format("model.layers.{}.{}", layer, part); }

RmsNorm optional_norm(bool wanted, const Lookup& weight, const std::string& name, double eps) {
  return wanted ? RmsNorm(weight(name), eps) : RmsNorm();
}

LinearWeights linear_weights(const Lookup& weight, int layer, std::string_view part, bool bias) {
  const std::string module = block_name(layer, part);
  return {module, weight(module + ".weight"), bias ? weight(module + ".bias") : at::Tensor()};
}

void add_block_specs(const ModelConfig& c, int layer, std::vector<WeightSpec>& specs) {
  using Shard = WeightSpec::Shard;
  const std::int64_t hidden = c.hidden, inter = c.intermediate;
  const std::int64_t q = std::int64_t{c.heads} * c.head_dim, kv = std::int64_t{c.kv_heads} * c.head_dim;
  const auto add = [&](std::string_view part, std::vector<std::int64_t> shape, Shard shard) {
    specs.push_back({block_name(layer, part), std::move(shape), shard});
  };
  const auto linear = [&](std::string_view part, std::int64_t out, std::int64_t in, bool bias, Shard shard) {
    specs.push_back({block_name(layer, fmt::format("{}.weight", part)), {out, in}, shard, /*adaptable=*/true});
    // A row-parallel bias is added once, after the sum: every rank holds it whole.
    if (bias) add(fmt::format("{}.bias", part), {out}, shard == Shard::kColumns ? Shard::kNone : shard);
  };
  add("input_layernorm.weight", {hidden}, Shard::kNone);
  linear("self_attn.q_proj", q, hidden, c.qkv_bias, Shard::kRows);
  linear("self_attn.k_proj", kv, hidden, c.qkv_bias, Shard::kKvRows);
  linear("self_attn.v_proj", kv, hidden, c.qkv_bias, Shard::kKvRows);
  linear("self_attn.o_proj", hidden, q, c.output_bias, Shard::kColumns);
  if (c.architecture->qk_norm) {
    add("self_attn.q_norm.weight", {c.head_dim}, Shard::kNone);
    add("self_attn.k_norm.weight", {c.head_dim}, Shard::kNone);
  }
  add("post_attention_layernorm.weight", {hidden}, Shard::kNone);
  linear("mlp.gate_proj", inter, hidden, c.mlp_bias, Shard::kRows);
  linear("mlp.up_proj", inter, hidden, c.mlp_bias, Shard::kRows);
  linear("mlp.down_proj", hidden, inter, c.mlp_bias, Shard::kColumns);
}

}  // namespace

std::vector<WeightSpec> weight_specs(const ModelConfig& config) {
  if (config.encoder) return encoder_decoder_weight_specs(config);
  using Shard = WeightSpec::Shard;
  std::vector<WeightSpec> specs{{"model.embed_tokens.weight", {config.vocabulary, config.hidden}, Shard::kRows}};
  for (int layer = 0; layer < config.layers; ++layer) add_block_specs(config, layer, specs);
  specs.push_back({"model.norm.weight", {config.hidden}, Shard::kNone});
  if (!config.tied) specs.push_back({"lm_head.weight", {config.vocabulary, config.hidden}, Shard::kRows});
  return specs;
}

ShardedSizes sharded_sizes(const ModelConfig& config) { return {config.heads, config.kv_heads, config.intermediate}; }

DecoderBlock::DecoderBlock(const ModelConfig& config, int layer, const Lookup& weight, Communicator& communicator)
    : layer_(layer),
      head_dim_(config.head_dim),
      input_norm_(weight(block_name(layer, "input_layernorm.weight")), config.norm_eps),
      post_attention_norm_(weight(block_name(layer, "post_attention_layernorm.weight")), config.norm_eps),
      q_norm_(optional_norm(config.architecture->qk_norm, weight, block_name(layer, "self_attn.q_norm.weight"),
                            config.norm_eps)),
      k_norm_(optional_norm(config.architecture->qk_norm, weight, block_name(layer, "self_attn.k_norm.weight"),
                            config.norm_eps)),
      q_(linear_weights(weight, layer, "self_attn.q_proj", config.qkv_bias)),
      k_(linear_weights(weight, layer, "self_attn.k_proj", config.qkv_bias)),
      v_(linear_weights(weight, layer, "self_attn.v_proj", config.qkv_bias)),
      o_(linear_weights(weight, layer, "self_attn.o_proj", config.output_bias), communicator),
      gate_(linear_weights(weight, layer, "mlp.gate_proj", config.mlp_bias)),
      up_(linear_weights(weight, layer, "mlp.up_proj", config.mlp_bias)),
      down_(linear_weights(weight, layer, "mlp.down_proj", config.mlp_bias), communicator) {}

at::Tensor DecoderBlock::attend(const at::Tensor& x, const RotaryAngles& angles, const Pass& pass) const {
  const std::int64_t tokens = x.size(0);
  const auto heads = [&](const at::Tensor& y) { return y.view({tokens, -1, head_dim_}); };
  at::Tensor q = heads(q_.forward(x, pass.deltas)), k = heads(k_.forward(x, pass.deltas));  // [N, H/R, D], [N, Hk/R, D]
  if (q_norm_.defined()) {
    q = q_norm_.forward(q);
    k = k_norm_.forward(k);
  }
  const at::Tensor v = heads(v_.forward(x, pass.deltas));
  const at::Tensor out = pass.attention.attend(layer_, rotate(q, angles), rotate(k, angles), v);
  return o_.forward(out.reshape({tokens, -1}), pass.deltas);
}

at::Tensor DecoderBlock::forward(const at::Tensor& x, const RotaryAngles& angles, const Pass& pass) const {
  const at::Tensor attended = x + attend(input_norm_.forward(x), angles, pass);
  const at::Tensor normed = post_attention_norm_.forward(attended);
  const at::Tensor gated = at::silu(gate_.forward(normed, pass.deltas)) * up_.forward(normed, pass.deltas);
  return attended + down_.forward(gated, pass.deltas);
}

Transformer::Transformer(const ModelConfig& config, const Lookup& weight, Communicator& communicator)
    : embedding_(weight("model.embed_tokens.weight"), communicator),
      norm_(weight("model.norm.weight"), config.norm_eps),
      head_(weight(config.tied ? "model.embed_tokens.weight" : "lm_head.weight"), config.vocabulary, communicator),
      rotary_(config.head_dim, config.rope_theta) {
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (int layer = 0; layer < config.layers; ++layer) blocks_.emplace_back(config, layer, weight, communicator);
}

Expected<Transformer> Transformer::bind(const ModelConfig& config, const WeightLookup& lookup,
                                        Communicator& communicator) {
  std::unordered_map<std::string, at::Tensor> weights;
  for (const WeightSpec& spec : weight_specs(config)) {
    Expected<at::Tensor> tensor = lookup(spec);
    if (!tensor) return tensor.error();
    weights.emplace(spec.name, *std::move(tensor));
  }
  return Transformer(
      config, [&](const std::string& name) { return weights.at(name); }, communicator);
}

at::Tensor Transformer::hidden(const at::Tensor& ids, const at::Tensor& positions, const Pass& pass,
                               const StageObserver& observe) const {
  at::Tensor x = embedding_.forward(ids);
  if (observe) observe("embedding", x);
  const RotaryAngles angles = rotary_.angles(positions, x.scalar_type());
  for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
    x = blocks_[layer].forward(x, angles, pass);
    if (observe) observe(fmt::format("block.{}", layer), x);
  }
  x = norm_.forward(x);
  if (observe) observe("norm", x);
  return x;
}

}  // namespace weft::model
