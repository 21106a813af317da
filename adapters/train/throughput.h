// How fast this machine trains a model, and what share that is of its matrix products, measured in turns in one run.
// Free of torch in this header. Training thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "model/base/clock.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct ThroughputOptions {
  std::string config;                 // config.json of the model; empty: the default model's shape
  std::size_t vocabulary = 8192;      // of the default shape
  std::size_t sequence_tokens = 512;  // one document each
  std::size_t micro_batch_sequences = 3;
  std::size_t batch_tokens = 3072;  // a step; a multiple of micro_batch_sequences * sequence_tokens
  std::size_t steps = 8;            // that are measured, after one that is not
  int threads = 0;                  // 0: one per core
};

// Medians over the steps.
struct Throughput {
  std::string dtype;  // of the products
  std::size_t parameters = 0;
  double operations_per_token = 0;  // multiplications and additions of the products, forward and backward, without the
                                    // optimiser's, and of attention the half that a causal mask leaves
  double tokens_per_second = 0;
  double matrix_operations_per_second = 0;    // of a product of two 1024 x 1024 matrices, taken beside each step
  double share = 0;                           // of them that training makes use of
  double gradients_ms = 0, optimizer_ms = 0;  // of a step
};

// Trains on random tokens. Errors: a configuration that cannot be read, a batch that is no multiple.
Expected<Throughput> measure_throughput(const ThroughputOptions& options, const Clock& clock,
                                        const std::function<void(double fraction)>& progress);

}  // namespace weft::adapters
