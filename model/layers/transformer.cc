#include "model/layers/transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>

#include "model/config/tensor_names.h"

namespace weft::model {
namespace {

Norm bound_norm(const ModelConfig& config, const Weights& weights, const std::string& module) {
  const NormKind kind = config.architecture->norm;
  const at::Tensor bias = kind == NormKind::kLayer ? weights.tensor(module + ".bias") : at::Tensor();
  return {kind, {weights.tensor(module + ".weight"), bias}, config.norm_eps, weights.cpu};
}

Norm head_norm(const ModelConfig& config, const Weights& weights, const std::string& module) {
  if (!config.architecture->qk_norm) return {};
  return {NormKind::kRms, {weights.tensor(module + ".weight"), {}}, config.norm_eps, weights.cpu};
}

BlockMlp bound_mlp(const ModelConfig& config, int layer, const Weights& weights, Communicator& communicator) {
  const BlockNames names(config, layer);
  if (config.layer(layer).experts) return ExpertsMlp(config, names, weights, communicator);
  return Mlp(config, names, weights, communicator);
}

std::string weight_of(std::string_view module) { return fmt::format("{}.weight", module); }

}  // namespace

DecoderBlock::DecoderBlock(const ModelConfig& config, int layer, const Weights& weights, Communicator& communicator)
    : DecoderBlock(config, layer, BlockNames(config, layer), weights, communicator) {}

DecoderBlock::DecoderBlock(const ModelConfig& config, int layer, const BlockNames& names, const Weights& weights,
                           Communicator& communicator)
    : rule_{layer, config.attention_scale(), config.layer(layer).windowed ? config.window : 0},
      head_dim_(config.head_dim),
      residual_multiplier_(config.residual_multiplier),
      input_norm_(bound_norm(config, weights, names.input_norm)),
      post_attention_norm_(bound_norm(config, weights, names.post_attention_norm)),
      q_norm_(head_norm(config, weights, names.q_norm)),
      k_norm_(head_norm(config, weights, names.k_norm)),
      cpu_(weights.cpu),
      qkv_(weights, {{names.q, config.qkv_bias}, {names.k, config.qkv_bias}, {names.v, config.qkv_bias}}),
      o_(weights, {names.o, config.output_bias}, communicator),
      mlp_(bound_mlp(config, layer, weights, communicator)) {}

at::Tensor DecoderBlock::attend(const at::Tensor& x, const RotaryAngles* angles, const Pass& pass) const {
  const std::int64_t tokens = x.size(0);
  const auto heads = [&](const at::Tensor& y) { return y.view({tokens, -1, head_dim_}); };
  const std::vector<at::Tensor> qkv = qkv_.forward(x, pass.deltas);
  at::Tensor q = heads(qkv[0]), k = heads(qkv[1]);  // [N, H/R, D], [N, Hk/R, D]
  if (q_norm_.defined()) {
    q = q_norm_.forward(q);
    k = k_norm_.forward(k);
  }
  if (angles != nullptr) {
    q = rotate(q, *angles, cpu_);
    k = rotate(k, *angles, cpu_);
  }
  return o_.forward(pass.attention.attend(rule_, q, k, heads(qkv[2])).reshape({tokens, -1}), pass.deltas);
}

at::Tensor DecoderBlock::added(const at::Tensor& x, const at::Tensor& what) const {
  return residual_multiplier_ == 1 ? x + what : x + what * residual_multiplier_;
}

at::Tensor DecoderBlock::forward(const at::Tensor& x, const RotaryAngles* angles, const Pass& pass) const {
  const at::Tensor attended = added(x, attend(input_norm_.forward(x), angles, pass));
  const at::Tensor normed = post_attention_norm_.forward(attended);
  const auto* dense = std::get_if<Mlp>(&mlp_);
  return added(attended,
               dense != nullptr ? dense->forward(normed, pass.deltas) : std::get<ExpertsMlp>(mlp_).forward(normed));
}

Transformer::Transformer(const ModelConfig& config, const Weights& weights, Communicator& communicator)
    : embedding_(weights, weight_of(config.architecture->names->embedding), communicator),
      embedding_multiplier_(config.embedding_multiplier),
      logits_divisor_(config.logits_divisor),
      norm_(bound_norm(config, weights, std::string(config.architecture->names->final_norm))),
      head_(weights, weight_of(config.tied ? config.architecture->names->embedding : config.architecture->names->head),
            config.vocabulary, communicator) {
  if (config.architecture->learned_positions) {
    positions_ = weights.tensor(weight_of(config.architecture->names->positions));
  } else {
    rotary_.emplace(config.rotary);
    if (config.window_rotary != config.rotary) window_rotary_.emplace(config.window_rotary);
  }
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (int layer = 0; layer < config.layers; ++layer) blocks_.emplace_back(config, layer, weights, communicator);
}

Expected<Transformer> Transformer::bind(const ModelConfig& config, const WeightLookup& lookup,
                                        Communicator& communicator, const Packing* packing) {
  const auto weights = look_up_weights(config, lookup, packing, communicator);
  if (!weights) return weights.error();
  return Transformer(config, *weights, communicator);
}

at::Tensor Transformer::embed(const at::Tensor& ids, const at::Tensor& positions) const {
  const at::Tensor x = embedding_.forward(ids);
  if (positions_.defined()) return x + at::embedding(positions_, positions);
  return embedding_multiplier_ == 1 ? x : x * embedding_multiplier_;
}

at::Tensor Transformer::hidden(const at::Tensor& ids, const at::Tensor& positions, const Pass& pass,
                               const StageObserver& observe) const {
  at::Tensor x = embed(ids, positions);
  if (observe) observe("embedding", x);
  const auto angles_of = [&](const std::optional<Rotary>& rotary) {
    return rotary ? std::optional(rotary->angles(positions, x.scalar_type())) : std::nullopt;
  };
  const std::optional<RotaryAngles> angles = angles_of(rotary_), window_angles = angles_of(window_rotary_);
  for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
    const DecoderBlock& block = blocks_[layer];
    const std::optional<RotaryAngles>& own = block.windowed() && window_angles ? window_angles : angles;
    x = block.forward(x, own ? &*own : nullptr, pass);
    if (observe) observe(fmt::format("block.{}", layer), x);
  }
  x = norm_.forward(x);
  if (observe) observe("norm", x);
  return x;
}

at::Tensor Transformer::logits(const at::Tensor& hidden) const {
  const at::Tensor out = head_.forward(hidden);
  return logits_divisor_ == 1 ? out : out / logits_divisor_;
}

}  // namespace weft::model
