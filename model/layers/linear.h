// Linears and the embedding as Megatron-LM shards them (Shoeybi et al. 2019): a column-parallel layer owns rows of W
// (output features) and needs no exchange; a row-parallel one owns columns (input features) and sums the partial
// products over the ranks, adding the bias once, after the sum. R ranks. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "model/layers/deltas.h"
#include "model/parallel/communicator.h"

namespace weft::model {

// One linear's own parameters. `module` is its name in the checkpoint, by which adapters know it.
struct LinearWeights {
  std::string module;
  at::Tensor weight;
  at::Tensor bias;  // may be undefined
};

// A bound model's weights by name.
using BoundWeights = std::function<at::Tensor(const std::string& name)>;
LinearWeights linear_weights(const BoundWeights& weight, const std::string& module, bool bias);

class ColumnParallelLinear {
 public:
  explicit ColumnParallelLinear(LinearWeights weights) : w_(std::move(weights)) {}  // [out/R, in], [out/R]
  at::Tensor forward(const at::Tensor& x, const Deltas* deltas) const;              // [N, in] -> [N, out/R]

 private:
  LinearWeights w_;
};

class RowParallelLinear {
 public:
  RowParallelLinear(LinearWeights weights, Communicator& communicator)  // [out, in/R], [out]
      : w_(std::move(weights)), communicator_(&communicator) {}
  at::Tensor forward(const at::Tensor& x, const Deltas* deltas) const;  // [N, in/R] -> [N, out]

 private:
  LinearWeights w_;
  Communicator* communicator_;
};

class VocabParallelEmbedding {
 public:
  VocabParallelEmbedding(at::Tensor weight, Communicator& communicator);  // [ceil(V/R), hidden]
  at::Tensor forward(const at::Tensor& ids) const;                        // [N] i64 -> [N, hidden]

 private:
  at::Tensor weight_;
  Communicator* communicator_;
};

class VocabParallelHead {
 public:
  // [ceil(V/R), hidden], of which rows past V are padding.
  VocabParallelHead(at::Tensor weight, std::int64_t vocabulary, Communicator& communicator);
  at::Tensor forward(const at::Tensor& x) const;  // [N, hidden] -> [N, V]

 private:
  at::Tensor weight_;
  std::int64_t vocabulary_;
  Communicator* communicator_;
};

}  // namespace weft::model
