// LoraAdapter: the low-rank deltas of one adapter as plain numbers (Hu et al. 2021: y = W x + scaling * B (A x)). Free
// of torch, so that whoever reads files and whoever runs layers need not know each other. Immutable once shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::model {

struct LoraDelta {
  std::string module;  // the linear's weight name without ".weight": "model.layers.0.self_attn.q_proj"
  std::int64_t rank = 0, in = 0, out = 0;
  double scaling = 1;    // alpha / rank, or alpha / sqrt(rank) for rsLoRA
  std::vector<float> a;  // [r, in]
  std::vector<float> b;  // [out, r]
};

struct LoraAdapter {
  std::string name;  // what users call it
  std::vector<LoraDelta> deltas;
};

}  // namespace weft::model
