// Pretraining a base model from packed data, with fill-in-the-middle cuts at characters and document mask. Free of
// torch in this header. Training thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct PretrainOptions {
  std::string data;    // folder written by `weft data pack`
  std::string out;     // checkpoints, log.jsonl and the packaged model go here
  std::string config;  // config.json of the model to make; empty: the default model's shape
  std::string name = "weft-default";
  std::string init_from;  // packaged model whose weights a fresh run starts from; empty: random ones
  std::size_t sequence_tokens = 1024;
  std::size_t batch_tokens = 8192;  // a step; a multiple of micro_batch_sequences * sequence_tokens
  std::size_t micro_batch_sequences = 4;
  std::size_t total_steps = 2000;
  std::size_t warmup_steps = 100;
  std::size_t decay_steps = 400;  // the last ones: linear to zero (warm-up, stable, decay)
  double muon_lr = 0.02;          // matrices
  double adamw_lr = 2e-3;         // embeddings, norms
  double weight_decay = 0.1;
  double clip_norm = 1.0;
  double fim_rate = 0.6;  // share of documents cut for infilling
  double spm_rate = 0.5;  // of those, suffix first
  std::uint64_t seed = 1;
  std::size_t checkpoint_every_steps = 50;
  std::size_t evaluate_every_steps = 200;
  int threads = 0;
  bool resume = true;         // continue from the newest checkpoint in `out`
  bool branch_decay = false;  // decay from the newest checkpoint now, in a folder of its own: the run can go on
};

struct PretrainProgress {
  std::size_t step = 0, total_steps = 0;
  double loss = 0, learning_rate_scale = 0, gradient_norm = 0, tokens_per_second = 0, eta_seconds = 0;
  double held_out_bits_per_byte = -1;  // -1: not measured at this step
};

struct PretrainReport {
  std::size_t steps = 0, tokens = 0;
  double loss = 0, held_out_bits_per_byte = 0;
  bool interrupted = false;
  std::string model_directory;  // packaged: config.json, tokenizer.model, model.safetensors
};

// Errors: no or foreign data, a checkpoint that does not fit the configuration, a full disk. Bit-identical after a
// kill: a resumed run writes the same weights as one that was never stopped (same machine, same threads).
Expected<PretrainReport> pretrain(const PretrainOptions& options,
                                  const std::function<void(const PretrainProgress&)>& progress, CancelFlag cancel);

}  // namespace weft::adapters
