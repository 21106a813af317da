// LoraBank: the adapters that serving holds, and what they add to the rows of a step (Hu et al. 2021), by the kernels
// of the processor. A and B are fp32, the scaling folded into B, each sliced as ShardPlan slices its linear: a
// row-parallel linear has the rank's columns of A, a column-parallel one the rank's rows of B. A fused linear's adapter
// is one of each of its parts, with A in common and rows of B. An adapter does not change once installed. Compute
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "model/base/expected.h"
#include "model/base/strong_id.h"
#include "model/config/model_config.h"
#include "model/config/weight_specs.h"
#include "model/kernels/lora.h"
#include "model/layers/deltas.h"
#include "model/layers/transformer.h"
#include "model/lora.h"
#include "model/parallel/communicator.h"

namespace weft::model {

// The next `count` rows of a step are of sequences with this adapter; 0: of none.
struct AdapterRows {
  AdapterId adapter;
  std::int64_t count = 0;
};

class LoraBank {
 public:
  LoraBank(const ModelConfig& config, const Communicator& communicator, const Cpu& cpu);

  // `id` is not 0 and not in use. Errors, by name and values: a module that is no linear of the model or stands twice,
  // a shape that does not fit it, fewer or more numbers than the shape has.
  Expected<void> install(AdapterId id, const LoraAdapter& adapter);
  void remove(AdapterId id) { adapters_.erase(id); }  // unknown ids are ignored
  [[nodiscard]] bool holds(AdapterId id) const { return adapters_.contains(id); }

  // For one step, whose rows are `rows` in order; every adapter is installed. Null when no row has one. Valid until an
  // adapter is removed.
  [[nodiscard]] std::unique_ptr<const Deltas> deltas_for(std::span<const AdapterRows> rows) const;

 private:
  class StepDeltas;

  [[nodiscard]] Expected<void> check(const LoraDelta& delta) const;
  void add_own_share(const LoraDelta& delta, std::span<LoraMatrices> linears) const;

  std::unordered_map<std::string, AdaptableLinear> linears_;  // by module
  std::unordered_map<std::string, std::size_t> places_;       // in a PackedAdapter, by WeightSpec::module
  ShardPlan plan_;
  Rank rank_;
  Cpu cpu_;
  std::unordered_map<AdapterId, PackedAdapter> adapters_;
};

}  // namespace weft::model
