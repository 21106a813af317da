// Communicator: the collectives of one tensor-parallel group. Every sharded layer takes one; there is no global rank.
// One rank's compute thread only. Every rank calls the same collectives in the same order, on tensors of one dtype and
// size. Once a group has failed it stays so: every later collective throws.
#pragma once

#include <ATen/core/Tensor.h>

#include <stdexcept>
#include <string>

#include "model/base/strong_id.h"

namespace weft::model {

// What a collective throws when the group cannot go on: a rank has ended, gave up, or does something else. It ends
// where LibTorch's own exceptions do, in the runner's step.
class CommunicatorError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual Rank rank() const = 0;
  // Sum over the ranks, in rank order, the same bits on each.
  virtual at::Tensor all_reduce_sum(const at::Tensor& local) = 0;
  // Concatenates along the last dimension, in rank order.
  virtual at::Tensor all_gather_last(const at::Tensor& local) = 0;
  // This rank gives up half-way through a step: the others, who may wait for it in a collective, throw.
  virtual void abort(const std::string& reason) noexcept = 0;
  [[nodiscard]] virtual bool aborted() const = 0;
};

// A group of one: every collective is the identity, and nobody waits.
class SoloCommunicator final : public Communicator {
 public:
  [[nodiscard]] int size() const override { return 1; }
  [[nodiscard]] Rank rank() const override { return Rank{0}; }
  at::Tensor all_reduce_sum(const at::Tensor& local) override { return local; }
  at::Tensor all_gather_last(const at::Tensor& local) override { return local; }
  void abort(const std::string& /*reason*/) noexcept override {}
  [[nodiscard]] bool aborted() const override { return false; }
};

}  // namespace weft::model
