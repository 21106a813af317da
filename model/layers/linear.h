// Linears and the embedding as Megatron-LM shards them (Shoeybi et al. 2019): a column-parallel layer owns rows of W
// (output features) and needs no exchange; a row-parallel one owns columns (input features) and sums the partial
// products over the ranks, adding the bias once, after the sum. R ranks. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/parallel/communicator.h"

namespace weft::model {

class ColumnParallelLinear {
 public:
  ColumnParallelLinear(at::Tensor weight, at::Tensor bias);  // [out/R, in], [out/R] or undefined
  at::Tensor forward(const at::Tensor& x) const;             // [N, in] -> [N, out/R]

 private:
  at::Tensor weight_, bias_;
};

class RowParallelLinear {
 public:
  RowParallelLinear(at::Tensor weight, at::Tensor bias, Communicator& communicator);  // [out, in/R], [out] or undefined
  at::Tensor forward(const at::Tensor& x) const;                                      // [N, in/R] -> [N, out]

 private:
  at::Tensor weight_, bias_;
  Communicator* communicator_;
};

class VocabParallelEmbedding {
 public:
  VocabParallelEmbedding(at::Tensor weight, Communicator& communicator);  // [V/R, hidden]
  at::Tensor forward(const at::Tensor& ids) const;                        // [N] i64 -> [N, hidden]

 private:
  at::Tensor weight_;
  Communicator* communicator_;
};

class VocabParallelHead {
 public:
  VocabParallelHead(at::Tensor weight, Communicator& communicator);  // [V/R, hidden]
  at::Tensor forward(const at::Tensor& x) const;                     // [N, hidden] -> [N, V]

 private:
  at::Tensor weight_;
  Communicator* communicator_;
};

}  // namespace weft::model
