// ModelRunner: one step of a language model over some sequences. The whole contract between generation/ and model/,
// free of torch. Engine thread only.
//
// A runner owns the KV of its sequences. A sequence exists from the first step that names it until it is released.
// Sequences share the blocks that forks have in common.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/base/expected.h"
#include "model/base/strong_id.h"
#include "model/config/model_config.h"
#include "model/lora.h"
#include "model/tokenizer/tokenizer.h"

namespace weft::model {

// One sequence's share of a step: `tokens` stand at positions start, start+1, …
// KV at positions >= start is dropped first; start may not exceed what the sequence holds.
struct StepSequence {
  SequenceId sequence;
  Position start;
  std::vector<TokenId> tokens;  // at least one
  std::size_t logits = 1;       // of so many last tokens, a row each
  AdapterId adapter{};          // the same in every step of a sequence; 0: the base alone
};

// `to` begins as the first `length` tokens of `from`, with its adapter; `from` goes on unchanged. `to` is a new
// sequence.
struct Fork {
  SequenceId from, to;
  Position length;
};

// Forks first, in order, then releases, then the sequences, each of which stands once.
struct StepPlan {
  std::vector<StepSequence> sequences;
  std::vector<SequenceId> released{};  // unknown ids are ignored
  std::vector<Fork> forks{};
};

struct StepResult {
  std::size_t vocabulary = 0;
  std::vector<float> logits;  // [rows that are wanted, in the plan's order; V]
  // Nothing was computed: there is no memory for it. The sequences that the plan names are gone.
  bool out_of_memory = false;
  [[nodiscard]] std::span<const float> row(std::size_t i) const { return {logits.data() + i * vocabulary, vocabulary}; }
};

struct RunnerInfo {
  std::string name;    // what users see, e.g. "weft-default-10m"
  std::string device;  // "cpu", "cuda:0", "fake"
  std::string dtype;   // of the weights: "fp32", "bf16", "int8", "int4"
  std::size_t vocabulary = 0;
  std::size_t max_positions = 0;
  std::size_t parameters = 0;
  std::size_t weight_bytes = 0;        // of this rank's weights that a token reads, an embedding's row aside
  std::size_t kv_bytes_per_token = 0;  // of this rank
  std::size_t kv_block_tokens = 1;     // KV is held in blocks of so many
  // KV of a token depends on those before it alone, and several of a step's last tokens may have logits. Not so behind
  // an encoder, which reads the prompt as a whole: a fork is of use to the same prompt.
  bool causal = true;
};

class ModelRunner {
 public:
  virtual ~ModelRunner() = default;
  [[nodiscard]] virtual const RunnerInfo& info() const = 0;
  // Room for KV of more tokens, in whole blocks. A step's part that goes on in a block which others share takes one
  // block more than its tokens need.
  [[nodiscard]] virtual std::size_t free_kv_tokens() const = 0;
  // Errors that leave everything as it was: a sequence past max_positions, twice in the plan or with an adapter that is
  // not its own or not installed, a token out of the vocabulary, a gap before start, more logits than tokens, a
  // fork of more than there is or onto a sequence that exists. Errors after which the sequences that the plan names are
  // to be released: a device that fails.
  virtual Expected<StepResult> step(const StepPlan& plan) = 0;
  // Between steps. `id` is not 0 and not in use. Errors: a module that the model does not have, a shape that does not
  // fit it, by name and values.
  virtual Expected<void> install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) = 0;
  // No sequence uses it any more. Unknown ids are ignored.
  virtual void remove_adapter(AdapterId id) = 0;
};

// What a model directory or a GGUF file gives: configuration, tokenizer, weights.
struct LoadedModel {
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<ModelRunner> runner;
};

// How the weights of linears are held. kAuto: as the checkpoint has them, as near as there is; of an encoder-decoder,
// which int8 and int4 are not for, bf16 where the processor multiplies it, else fp32.
enum class DType { kAuto, kFloat32, kBFloat16, kInt8, kInt4 };

constexpr int kMaxTensorParallel = 64;

struct LoadOptions {
  std::string directory;
  DType dtype = DType::kAuto;
  int threads = 0;                 // of all ranks together; 0: as many as pay: one for a small model, else one per core
  int tensor_parallel = 1;         // ranks, each a process; model/rank.h says what the program must do for it
  std::size_t kv_limit_bytes = 0;  // of all sequences' KV, of this rank; 0: by the model and the machine's memory
  std::function<void(double fraction)> progress;  // may be empty; called on the loading thread
};

// Errors name the file and what is wrong with it: missing, truncated, wrong shape, foreign tokenizer, unknown family;
// ranks that do not divide the model or could not be started.
Expected<LoadedModel> load_model(const LoadOptions& options);

// `--model` if given, else $WEFT_MODEL, else model/default beside the installed or built program.
Expected<std::string> find_model_directory(const std::string& requested);

}  // namespace weft::model
