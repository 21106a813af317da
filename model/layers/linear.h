// Linears and the embedding as Megatron-LM shards them (Shoeybi et al. 2019): a column-parallel layer owns rows of W
// (output features) and needs no exchange; a row-parallel one owns columns (input features) and sums the partial
// products over the ranks, adding the bias once, after the sum. A weight is a tensor that LibTorch multiplies, or
// packed for the processor's own kernels. R ranks. Immutable; compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "model/layers/deltas.h"
#include "model/layers/weights.h"
#include "model/parallel/communicator.h"

namespace weft::model {

// [N, in] times a packed matrix: [N, out], fp32.
at::Tensor multiply(const Cpu& cpu, const PackedMatrix& matrix, const at::Tensor& x, const at::Tensor& bias = {});

// A linear by its name in the checkpoint, by which adapters know it.
struct LinearName {
  std::string module;
  bool bias = false;
};

// Linears that read the same input; packed, they are one matrix.
class ColumnParallelLinear {
 public:
  ColumnParallelLinear(const Weights& weights, std::vector<LinearName> parts);  // each [out/R, in], [out/R]
  // [N, in] -> of each part [N, out/R], perhaps as columns of one tensor.
  std::vector<at::Tensor> forward(const at::Tensor& x, const Deltas* deltas) const;

 private:
  struct Part {
    std::string module;
    std::int64_t features;    // out/R
    at::Tensor weight, bias;  // undefined: packed; there is none
  };
  std::vector<Part> parts_;
  std::shared_ptr<const PackedMatrix> packed_;
  at::Tensor packed_bias_;
  const Cpu* cpu_;
};

class RowParallelLinear {
 public:
  RowParallelLinear(const Weights& weights, const LinearName& name, Communicator& communicator);  // [out, in/R], [out]
  at::Tensor forward(const at::Tensor& x, const Deltas* deltas) const;  // [N, in/R] -> [N, out]

 private:
  std::string module_;
  at::Tensor weight_, bias_;
  std::shared_ptr<const PackedMatrix> packed_;
  const Cpu* cpu_;
  Communicator* communicator_;
};

class VocabParallelEmbedding {
 public:
  VocabParallelEmbedding(const Weights& weights, const std::string& name,
                         Communicator& communicator);  // [ceil(V/R), hidden]
  at::Tensor forward(const at::Tensor& ids) const;     // [N] i64 -> [N, hidden]

 private:
  [[nodiscard]] at::Tensor rows(const at::Tensor& local) const;
  at::Tensor weight_;
  std::shared_ptr<const PackedMatrix> packed_;  // a head that is tied to it
  bool to_fp32_;
  Communicator* communicator_;
};

class VocabParallelHead {
 public:
  // [ceil(V/R), hidden], of which rows past V are padding.
  VocabParallelHead(const Weights& weights, const std::string& name, std::int64_t vocabulary,
                    Communicator& communicator);
  at::Tensor forward(const at::Tensor& x) const;  // [N, hidden] -> [N, V]

 private:
  at::Tensor weight_;
  std::shared_ptr<const PackedMatrix> packed_;
  const Cpu* cpu_;
  std::int64_t vocabulary_;
  Communicator* communicator_;
};

}  // namespace weft::model
