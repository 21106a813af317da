// Training an adapter, or a whole model, for a task from folders of code. Free of torch in this header. Training thread
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lora/peft.h"
#include "adapters/tasks/task.h"
#include "adapters/tasks/task_data.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

// How much is spent on an adapter; a row of a table, of which single values can be changed.
struct TrainPreset {
  std::string_view name, summary;
  std::size_t rank = 16;
  double alpha = 32;
  double learning_rate = 1e-3;       // of an adapter
  double full_learning_rate = 3e-4;  // of all of a model's weights
  std::size_t max_steps = 200;
  double max_epochs = 4;              // passes over the examples at most
  std::size_t batch_tokens = 4096;    // a step
  std::size_t example_tokens = 1024;  // longer examples are left out
  std::size_t evaluate_every_steps = 25;
  std::size_t patience = 4;  // held-out measurements without a better one
  std::size_t max_held_out = 200;
};

[[nodiscard]] std::span<const TrainPreset> train_presets();
[[nodiscard]] const TrainPreset* find_train_preset(std::string_view name);  // null: unknown
[[nodiscard]] std::string known_train_presets();                            // "smallest, balanced, best"

struct TrainOptions {
  std::vector<std::string> data;  // folders of code
  std::string out;                // the folder of what is trained; checkpoints/ and log.jsonl go there too
  std::string model;              // directory of the base
  std::string from;               // an adapter for the same task to begin with, of its rank, of a base of this shape;
                                  // empty: a fresh one
  bool full = false;              // train all its weights; `out` becomes a model directory
  TrainPreset preset;
  CollectOptions collect;
  std::uint64_t seed = 1;
  std::size_t min_examples = 32;  // fewer to train on are refused
  std::size_t checkpoint_every_steps = 25;
  double precision = 0.9;  // bug-detection: that of what is shown, on the held-out files
  int threads = 0;         // 0: one per core
  bool resume = true;      // continue from the newest checkpoint in `out`
};

struct TrainProgress {
  std::string stage;                      // "reading", "training", "calibrating"
  std::size_t step = 0, total_steps = 0;  // files in the first stage, examples in the last
  double loss = 0, learning_rate_scale = 0, gradient_norm = 0, tokens_per_second = 0, eta_seconds = 0;
  double held_out_loss = -1;  // nats a token; -1: not measured at this step
};

struct TrainReport {
  std::size_t steps = 0, tokens = 0;
  double base_loss = 0, best_loss = 0;  // held-out, nats a token
  std::size_t best_step = 0, parameters = 0;
  bool interrupted = false, stopped_early = false;
  AdapterInfo info;
  TaskData data;  // the examples it was trained and measured on
};

// Errors: no folder, too little data (how many files and examples there are, and why what was dropped was), a foreign
// checkpoint, a full disk, "cancelled" before the first step; an encoder-decoder without `full`, which has no adapters;
// a task with a threshold, which only an adapter keeps, with it. Bit-identical after a kill: a continued run writes the
// same adapter or model as one that was never stopped (same machine, same threads).
Expected<TrainReport> train_adapter(const Task& task, const TrainOptions& options,
                                    const std::function<void(const TrainProgress&)>& progress, CancelFlag cancel);

}  // namespace weft::adapters
