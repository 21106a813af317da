// The decoder: one parametrised block for every family; what differs is in ModelConfig. A Transformer is a function of
// its weights: training binds it anew to each step's cast weights, serving once to loaded ones. Immutable after
// construction; compute thread only. Shapes: N tokens in step, H heads, Hk KV heads, D head size, V vocabulary, R
// ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"
#include "model/config/model_config.h"
#include "model/layers/attention.h"
#include "model/layers/linear.h"
#include "model/layers/norm.h"
#include "model/layers/rotary.h"
#include "model/parallel/shard_plan.h"

namespace weft::model {

// A weight that the architecture asks for, under its Hugging Face name.
struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;  // of the whole weight
  using Shard = model::Shard;
  Shard shard = Shard::kNone;
  bool adaptable = false;  // of a linear that asks for deltas
};
// Of the whole model, whatever kind it is.
std::vector<WeightSpec> weight_specs(const ModelConfig& config);
ShardedSizes sharded_sizes(const ModelConfig& config);

// Gives the rank's own slice of a weight (the whole one when the group is solo).
using WeightLookup = std::function<Expected<at::Tensor>(const WeightSpec&)>;

// Sees a stage's output; for parity tests. Stages: "embedding", "block.0", …, "norm", "logits".
using StageObserver = std::function<void(std::string_view stage, const at::Tensor& output)>;

// What one pass through the layers is given beside its tokens.
struct Pass {
  AttentionBackend& attention;
  const Deltas* deltas = nullptr;  // null: the weights alone
};

class DecoderBlock {
 public:
  DecoderBlock(const ModelConfig& config, int layer, const std::function<at::Tensor(const std::string&)>& weight,
               Communicator& communicator);
  // x: [N, hidden] -> [N, hidden].
  at::Tensor forward(const at::Tensor& x, const RotaryAngles& angles, const Pass& pass) const;

 private:
  at::Tensor attend(const at::Tensor& x, const RotaryAngles& angles, const Pass& pass) const;
  int layer_;
  std::int64_t head_dim_;
  RmsNorm input_norm_, post_attention_norm_, q_norm_, k_norm_;
  ColumnParallelLinear q_, k_, v_;
  RowParallelLinear o_;
  ColumnParallelLinear gate_, up_;
  RowParallelLinear down_;
};

class Transformer {
 public:
  // Error: what the lookup says of the first weight it cannot give.
  static Expected<Transformer> bind(const ModelConfig& config, const WeightLookup& lookup, Communicator& communicator);

  // ids, positions: [N] i64 -> [N, hidden], after the last norm.
  at::Tensor hidden(const at::Tensor& ids, const at::Tensor& positions, const Pass& pass,
                    const StageObserver& observe = {}) const;
  // [N, hidden] -> [N, V].
  at::Tensor logits(const at::Tensor& hidden) const { return head_.forward(hidden); }

 private:
  Transformer(const ModelConfig& config, const std::function<at::Tensor(const std::string&)>& weight,
              Communicator& communicator);
  VocabParallelEmbedding embedding_;
  std::vector<DecoderBlock> blocks_;
  RmsNorm norm_;
  VocabParallelHead head_;
  Rotary rotary_;
};

}  // namespace weft::model
