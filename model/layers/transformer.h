// The decoder: one parametrised block for every family; what differs is in ModelConfig. A Transformer is a function of
// its weights: training binds it anew to each step's cast weights, serving once to loaded ones. Immutable after
// construction; compute thread only. Shapes: N tokens in step, H heads, Hk KV heads, D head size, V vocabulary, R
// ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/config/weight_specs.h"
#include "model/layers/attention.h"
#include "model/layers/linear.h"
#include "model/layers/mlp.h"
#include "model/layers/norm.h"
#include "model/layers/rotary.h"
#include "model/layers/weights.h"

namespace weft::model {

// Sees a stage's output; for parity tests. Stages: "embedding" (what enters the first block), "block.0", …, "norm",
// "logits".
using StageObserver = std::function<void(std::string_view stage, const at::Tensor& output)>;

// What one pass through the layers is given beside its tokens.
struct Pass {
  AttentionBackend& attention;
  const Deltas* deltas = nullptr;  // null: the weights alone
};

class DecoderBlock {
 public:
  DecoderBlock(const ModelConfig& config, int layer, const Weights& weights, Communicator& communicator);
  // x: [N, hidden] -> [N, hidden]. No angles: positions were added to the embeddings.
  at::Tensor forward(const at::Tensor& x, const RotaryAngles* angles, const Pass& pass) const;
  [[nodiscard]] bool windowed() const { return rule_.window > 0; }

 private:
  DecoderBlock(const ModelConfig& config, int layer, const BlockNames& names, const Weights& weights,
               Communicator& communicator);
  at::Tensor attend(const at::Tensor& x, const RotaryAngles* angles, const Pass& pass) const;
  at::Tensor added(const at::Tensor& x, const at::Tensor& what) const;
  AttentionRule rule_;
  std::int64_t head_dim_;
  double residual_multiplier_;
  Norm input_norm_, post_attention_norm_, q_norm_, k_norm_;
  const Cpu* cpu_;
  ColumnParallelLinear qkv_;
  RowParallelLinear o_;
  BlockMlp mlp_;
};

class Transformer {
 public:
  // With `packing` linears are packed and the processor's kernels compute, in fp32. Error: what
  // the lookup says of the first weight it cannot give.
  static Expected<Transformer> bind(const ModelConfig& config, const WeightLookup& lookup, Communicator& communicator,
                                    const Packing* packing = nullptr);

  // ids, positions: [N] i64 -> [N, hidden], after the last norm.
  at::Tensor hidden(const at::Tensor& ids, const at::Tensor& positions, const Pass& pass,
                    const StageObserver& observe = {}) const;
  // [N, hidden] -> [N, V].
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  Transformer(const ModelConfig& config, const Weights& weights, Communicator& communicator);
  at::Tensor embed(const at::Tensor& ids, const at::Tensor& positions) const;
  VocabParallelEmbedding embedding_;
  at::Tensor positions_;  // [positions, hidden], where they are learned
  double embedding_multiplier_, logits_divisor_;
  std::vector<DecoderBlock> blocks_;
  Norm norm_;
  VocabParallelHead head_;
  std::optional<Rotary> rotary_, window_rotary_;  // the second where the windowed layers have another
};

}  // namespace weft::model
