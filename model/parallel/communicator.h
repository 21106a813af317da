// Communicator: the collectives of one tensor-parallel group. Every sharded layer takes one; there is no global rank.
// One rank's compute thread only.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/base/strong_id.h"

namespace weft::model {

class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual Rank rank() const = 0;
  // Sum over the ranks, in rank order, the same bits on each.
  virtual at::Tensor all_reduce_sum(const at::Tensor& local) = 0;
  // Concatenates along the last dimension, in rank order.
  virtual at::Tensor all_gather_last(const at::Tensor& local) = 0;
};

// A group of one: every collective is the identity.
class SoloCommunicator final : public Communicator {
 public:
  [[nodiscard]] int size() const override { return 1; }
  [[nodiscard]] Rank rank() const override { return Rank{0}; }
  at::Tensor all_reduce_sum(const at::Tensor& local) override { return local; }
  at::Tensor all_gather_last(const at::Tensor& local) override { return local; }
};

}  // namespace weft::model
