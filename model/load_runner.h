// One rank's runner of a model directory: it loads its own slice of each weight and no more. Any thread; torch's
// exceptions pass through.
#pragma once

#include <memory>

#include "model/parallel/communicator.h"
#include "model/runner.h"

namespace weft::model {

// Of each of `ranks` ranks, for a model of so many parameters. requested: of all ranks together, 0: as many as pay.
int decide_threads(int requested, std::size_t parameters, int ranks);

// Errors: a missing weight, a wrong shape, a group size that does not divide the model. `options.tensor_parallel` is
// not looked at: the communicator says it.
Expected<std::unique_ptr<ModelRunner>> load_runner(const ModelConfig& config, const LoadOptions& options,
                                                   std::shared_ptr<Communicator> communicator);

}  // namespace weft::model
