#include "model/layers/encoder_decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "model/config/encoder_decoder_names.h"
#include "model/layers/activation.h"

namespace weft::model {

struct EncoderDecoderBinding {
  const ModelConfig& config;
  const Weights& weights;
  Communicator& communicator;
  [[nodiscard]] at::Tensor weight(const std::string& name) const { return weights.tensor(name); }
  [[nodiscard]] Norm norm(const std::string& name) const {
    return {NormKind::kRms, {weight(name + ".weight"), {}}, config.norm_eps, nullptr};
  }
};

namespace {

// q: [n, H, D], kv: [H, T, D], bias: [H, n, T], may be undefined -> [n, H * D]
at::Tensor attend(const at::Tensor& q, const KvSlices& kv, const at::Tensor& bias) {
  at::Tensor scores = at::matmul(q.transpose(0, 1), kv.keys.transpose(-1, -2));
  if (bias.defined()) scores = scores + bias;
  return at::matmul(at::softmax(scores, -1), kv.values).transpose(0, 1).flatten(1);
}

PositionBuckets buckets(const ModelConfig& config, PositionDirection direction) {
  return {config.encoder->position_buckets, config.encoder->position_distance, direction};
}

}  // namespace

NormedAttention::NormedAttention(const EncoderDecoderBinding& binding, const std::string& norm,
                                 const std::string& module)
    : head_dim_(binding.config.head_dim),
      norm_(binding.norm(norm)),
      q_(binding.weights, {{module + ".q"}}),
      k_(binding.weights, {{module + ".k"}}),
      v_(binding.weights, {{module + ".v"}}),
      o_(binding.weights, {module + ".o"}, binding.communicator) {}

at::Tensor NormedAttention::heads(const at::Tensor& y) const { return y.view({y.size(0), -1, head_dim_}); }

NormedFeedForward::NormedFeedForward(const EncoderDecoderBinding& binding, const std::string& norm,
                                     const std::string& module)
    : activation_(binding.config.activation),
      norm_(binding.norm(norm)),
      out_(binding.weights, {module + ".wo"}, binding.communicator) {
  for (const std::string& name : input_names(binding.config)) {
    in_.emplace_back(binding.weights, std::vector<LinearName>{{module + name}});
  }
}

at::Tensor NormedFeedForward::forward(const at::Tensor& x, const Deltas* deltas) const {
  const at::Tensor normed = norm_.forward(x);
  at::Tensor inner = activate(activation_, in_.front().forward(normed, deltas).front());
  if (in_.size() > 1) inner = inner * in_.back().forward(normed, deltas).front();
  return out_.forward(inner, deltas);
}

EncoderDecoder::EncoderDecoder(const EncoderDecoderBinding& binding)
    : output_scale_(binding.config.scaled_output ? 1.0 / std::sqrt(static_cast<double>(binding.config.hidden)) : 1.0),
      embedding_(binding.weights, kSharedEmbedding, binding.communicator),
      encoder_positions_(binding.weight(positions_name("encoder")), buckets(binding.config, PositionDirection::kBoth)),
      decoder_positions_(binding.weight(positions_name("decoder")),
                         buckets(binding.config, PositionDirection::kBackward)),
      encoder_norm_(binding.norm("encoder.final_layer_norm")),
      decoder_norm_(binding.norm("decoder.final_layer_norm")),
      head_(binding.weights, binding.config.tied ? kSharedEmbedding : "lm_head.weight", binding.config.vocabulary,
            binding.communicator) {
  const auto attention = [&](std::string_view stack, int block, int part, std::string_view name) {
    return NormedAttention(binding, part_name(stack, block, part, "layer_norm"), part_name(stack, block, part, name));
  };
  const auto feed_forward = [&](std::string_view stack, int block, int part) {
    return NormedFeedForward(binding, part_name(stack, block, part, "layer_norm"),
                             part_name(stack, block, part, "DenseReluDense"));
  };
  for (int block = 0; block < binding.config.encoder->layers; ++block) {
    encoder_.push_back({attention("encoder", block, 0, "SelfAttention"), feed_forward("encoder", block, 1)});
  }
  for (int block = 0; block < binding.config.layers; ++block) {
    decoder_.push_back({block, attention("decoder", block, 0, "SelfAttention"),
                        attention("decoder", block, 1, "EncDecAttention"), feed_forward("decoder", block, 2)});
  }
}

Expected<EncoderDecoder> EncoderDecoder::bind(const ModelConfig& config, const WeightLookup& lookup,
                                              Communicator& communicator) {
  const auto weights = look_up_weights(config, lookup, /*packing=*/nullptr, communicator);
  if (!weights) return weights.error();
  return EncoderDecoder(EncoderDecoderBinding{config, *weights, communicator});
}

at::Tensor EncoderDecoder::EncoderLayer::forward(const at::Tensor& x, std::span<const at::Tensor> biases,
                                                 const Deltas* deltas) const {
  const at::Tensor normed = self.norm(x);
  const at::Tensor q = self.queries(normed, deltas), k = self.keys(normed, deltas), v = self.values(normed, deltas);
  std::vector<at::Tensor> attended;
  std::int64_t begin = 0;
  for (const at::Tensor& bias : biases) {
    const std::int64_t length = bias.size(-1);
    const auto own = [&](const at::Tensor& all) { return all.narrow(0, begin, length); };
    attended.push_back(attend(own(q), {own(k).transpose(0, 1), own(v).transpose(0, 1)}, bias));
    begin += length;
  }
  const at::Tensor seen = x + self.output(at::cat(attended), deltas);
  return seen + feed_forward.forward(seen, deltas);
}

at::Tensor EncoderDecoder::encode(const at::Tensor& ids, std::span<const std::int64_t> lengths, const Deltas* deltas,
                                  const StageObserver& observe) const {
  std::vector<at::Tensor> biases;
  for (const std::int64_t length : lengths) biases.push_back(encoder_positions_.bias(0, length, length));
  at::Tensor x = embedding_.forward(ids);
  if (observe) observe("encoder.embedding", x);
  for (std::size_t layer = 0; layer < encoder_.size(); ++layer) {
    x = encoder_[layer].forward(x, biases, deltas);
    if (observe) observe(fmt::format("encoder.block.{}", layer), x);
  }
  x = encoder_norm_.forward(x);
  if (observe) observe("encoder.norm", x);
  return x;
}

std::vector<SourceMemory> EncoderDecoder::memories(const at::Tensor& encoded, std::span<const std::int64_t> lengths,
                                                   const Deltas* deltas) const {
  std::vector<SourceMemory> out(lengths.size());
  for (const DecoderLayer& layer : decoder_) {
    const at::Tensor k = layer.cross.keys(encoded, deltas).transpose(0, 1);  // [H/R, S, D]
    const at::Tensor v = layer.cross.values(encoded, deltas).transpose(0, 1);
    std::int64_t at_token = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const auto own = [&](const at::Tensor& all) { return all.narrow(1, at_token, lengths[i]).contiguous(); };
      out[i].push_back({own(k), own(v)});
      at_token += lengths[i];
    }
  }
  return out;
}

at::Tensor EncoderDecoder::DecoderLayer::attend_self(const at::Tensor& x, const AnswerPass& pass) const {
  const at::Tensor normed = self.norm(x);
  const at::Tensor q = self.queries(normed, pass.deltas), k = self.keys(normed, pass.deltas);
  const at::Tensor v = self.values(normed, pass.deltas);
  std::vector<at::Tensor> attended;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < pass.parts.size(); ++i) {
    const AnswerPart& part = pass.parts[i];
    const auto own = [&](const at::Tensor& all) { return all.narrow(0, begin, part.tokens); };
    attended.push_back(attend(own(q), part.kv->extend(index, own(k), own(v)), pass.biases[i]));
    begin += part.tokens;
  }
  return self.output(at::cat(attended), pass.deltas);
}

at::Tensor EncoderDecoder::DecoderLayer::attend_source(const at::Tensor& x, const AnswerPass& pass) const {
  const at::Tensor q = cross.queries(cross.norm(x), pass.deltas);
  std::vector<at::Tensor> attended;
  std::int64_t begin = 0;
  for (const AnswerPart& part : pass.parts) {
    const KvSlices& source = (*part.source)[static_cast<std::size_t>(index)];
    attended.push_back(attend(q.narrow(0, begin, part.tokens), source, {}));
    begin += part.tokens;
  }
  return cross.output(at::cat(attended), pass.deltas);
}

at::Tensor EncoderDecoder::decode(const at::Tensor& ids, std::span<const AnswerPart> parts, const Deltas* deltas,
                                  const StageObserver& observe) const {
  AnswerPass pass{parts, {}, deltas};
  for (const AnswerPart& part : parts) {
    const std::int64_t past = part.kv->length();
    pass.biases.push_back(decoder_positions_.bias(past, part.tokens, past + part.tokens));
  }
  at::Tensor x = embedding_.forward(ids);
  if (observe) observe("decoder.embedding", x);
  for (const DecoderLayer& layer : decoder_) {
    x = x + layer.attend_self(x, pass);
    x = x + layer.attend_source(x, pass);
    x = x + layer.feed_forward.forward(x, deltas);
    if (observe) observe(fmt::format("decoder.block.{}", layer.index), x);
  }
  x = decoder_norm_.forward(x);
  if (observe) observe("decoder.norm", x);
  return output_scale_ == 1.0 ? x : x * output_scale_;
}

}  // namespace weft::model
