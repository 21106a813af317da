// Checkpoints of a training run: one safetensors file a step, `step-NNNNNNNN.safetensors`, that holds the master
// weights, the optimiser's state and, as metadata, where the sampler stands. Written whole or not at all; the newest
// two are kept. Training thread only.
#pragma once

#include <optional>
#include <string>

#include "adapters/train/optimizer.h"
#include "adapters/train/row_sampler.h"
#include "model/base/expected.h"

namespace weft::adapters {

// What the held-out examples have said so far. The best parameters are in the checkpoint beside the last ones.
struct BestSoFar {
  double held_out_loss = -1;  // -1: nothing measured yet
  std::size_t step = 0;
  std::size_t worse_since = 0;  // measurements after it, none of them better
};

struct TrainingState {
  std::size_t step = 0;  // steps done
  std::size_t tokens = 0;
  RowSamplerState sampler;
  BestSoFar best;
  std::string fingerprint;  // of the options and the data that a continued run must share
};

Expected<void> save_checkpoint(const std::string& directory, const TrainingState& state,
                               const std::vector<Parameter>& parameters, const Optimizer& optimizer);

// The newest checkpoint's path; none in an empty or missing folder.
std::optional<std::string> newest_checkpoint(const std::string& directory);

// Fills the parameters and the optimiser in place. Error: a damaged file, other shapes, another fingerprint.
Expected<TrainingState> load_checkpoint(const std::string& path, const std::string& fingerprint,
                                        const std::vector<Parameter>& parameters, Optimizer& optimizer);

}  // namespace weft::adapters
