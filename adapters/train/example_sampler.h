// ExampleSampler: examples in an order that is shuffled anew each epoch, as many at a time as make up a number of
// tokens. What comes next is a function of (seed, state), so that a run that starts from a saved state sees the same
// examples. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adapters/tasks/task_data.h"
#include "adapters/train/row_sampler.h"

namespace weft::adapters {

class ExampleSampler {
 public:
  // `examples`, at least one, outlive it. Of the state the epoch and the chunk, here an example.
  ExampleSampler(std::span<const TokenExample> examples, std::uint64_t seed, RowSamplerState state = {});
  // At least one; no more than `tokens` unless the first alone is longer.
  std::vector<const TokenExample*> next(std::size_t tokens);
  [[nodiscard]] const RowSamplerState& state() const { return state_; }

 private:
  void shuffle();
  std::span<const TokenExample> examples_;
  std::uint64_t seed_;
  RowSamplerState state_;
  std::vector<std::uint32_t> order_;  // of examples, this epoch
};

}  // namespace weft::adapters
