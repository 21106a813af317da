// The second half of a decoder's block: an MLP, gated (Shazeer 2020) or plain, or a mixture of such MLPs of which a
// router chooses a few for each token (Shazeer et al. 2017). Immutable; compute thread only. R ranks, E experts.
#pragma once

#include <ATen/core/Tensor.h>

#include <variant>
#include <vector>

#include "model/config/model_config.h"
#include "model/config/weight_specs.h"
#include "model/layers/linear.h"

namespace weft::model {

class Mlp {
 public:
  Mlp(const ModelConfig& config, const BlockNames& names, const Weights& weights, Communicator& communicator);
  at::Tensor forward(const at::Tensor& x, const Deltas* deltas) const;  // [N, hidden] -> [N, hidden]

 private:
  Activation activation_;
  const Cpu* cpu_;
  ColumnParallelLinear in_;  // the gate and what it gates, or one linear
  RowParallelLinear down_;
};

// A rank owns a run of whole experts, and the ranks' sums are added.
class ExpertsMlp {
 public:
  ExpertsMlp(const ModelConfig& config, const BlockNames& names, const Weights& weights, Communicator& communicator);
  at::Tensor forward(const at::Tensor& x) const;  // [N, hidden] -> [N, hidden]

 private:
  struct Expert {
    ColumnParallelLinear in, down;  // whole: no rank has a part of one
  };
  Activation activation_;
  const Cpu* cpu_;
  ExpertsConfig config_;
  at::Tensor router_;  // [E, hidden]
  int first_;          // of this rank's experts
  std::vector<Expert> experts_;
  Communicator* communicator_;
};

using BlockMlp = std::variant<Mlp, ExpertsMlp>;

}  // namespace weft::model
