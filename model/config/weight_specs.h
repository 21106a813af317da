// Which weights a model has, where its checkpoint holds them and how they are split over ranks. Pure, free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/model_config.h"
#include "model/config/shard_plan.h"

namespace weft::model {

// A weight as the layers ask for it: [out, in], [out] or [width].
struct WeightSpec {
  // Unique. Of a weight that is a tensor of its own, the tensor's name; of a part of a fused one, that and the part's.
  std::string name;
  std::vector<std::int64_t> shape;  // of the whole weight
  using Shard = model::Shard;
  Shard shard = Shard::kNone;
  bool adaptable = false;   // of a linear that asks for deltas
  int expert = -1;          // of which it is; only the ranks that own it need it
  std::string packed_as{};  // those with the same read the same input and may become one matrix; empty: no linear

  // In the checkpoint: rows first_row … of a tensor of `rows` rows, and [in, out] where transposed.
  std::string tensor{};
  std::int64_t first_row = 0, rows = 0;
  bool transposed = false;

  [[nodiscard]] std::vector<std::int64_t> stored_shape() const;
  // The same slice in the stored tensor's dimensions.
  [[nodiscard]] ShardSlice stored(const ShardSlice& slice) const;
  [[nodiscard]] std::string module() const;  // of a linear's weight: the name by which its layer asks for deltas
};

inline constexpr std::string_view kHead = "head";  // packed_as of the last linear

// Of the whole model, whatever kind it is.
std::vector<WeightSpec> weight_specs(const ModelConfig& config);
ShardedSizes sharded_sizes(const ModelConfig& config);

// A linear that an adapter can change, as the checkpoint and PEFT know it: a fused one is one, of all its parts' rows.
struct AdaptableLinear {
  std::string module;  // "model.layers.0.self_attn.q_proj", "transformer.h.0.attn.c_attn"
  std::int64_t in = 0, out = 0;
  std::vector<WeightSpec> parts;  // one, or those of a fused linear in the order of their rows
};
// Of a decoder, block by block, in the order in which a block runs them; experts are not among them.
std::vector<AdaptableLinear> adaptable_linears(const ModelConfig& config);

// Names without ".weight" and ".bias" of the parts of a decoder's block: a fused q is "….c_attn#q".
struct BlockNames {
  BlockNames(const ModelConfig& config, int layer);
  std::string input_norm, q, k, v, o, q_norm, k_norm, post_attention_norm, gate, up, down, router;
  [[nodiscard]] std::string expert(int index, std::string_view part) const;

 private:
  std::string experts_;
};

std::vector<WeightSpec> encoder_decoder_weight_specs(const ModelConfig& config);

}  // namespace weft::model
