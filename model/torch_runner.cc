#include "model/torch_runner.h"

#include <ATen/Parallel.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "model/plan_check.h"

namespace weft::model {
namespace {

// The N tokens of a step, end to end.
struct Batch {
  std::vector<std::int64_t> ids, positions;  // [N]
  std::vector<std::int64_t> logit_rows;      // whose logits are wanted
  std::vector<PagedAttention::Part> parts;
  std::vector<AdapterRows> adapters;

  void add(const StepSequence& part, KvBlocks& kv) {
    const auto tokens = static_cast<std::int64_t>(part.tokens.size());
    kv.truncate(part.start.value());
    parts.push_back({&kv, tokens});
    adapters.push_back({part.adapter, tokens});
    for (std::int64_t i = 0; i < tokens; ++i) {
      ids.push_back(part.tokens[static_cast<std::size_t>(i)].value());
      positions.push_back(part.start.value() + i);
    }
    const auto end = static_cast<std::int64_t>(ids.size());
    for (auto row = end - static_cast<std::int64_t>(part.logits); row < end; ++row) logit_rows.push_back(row);
  }
};

}  // namespace

TorchRunner::TorchRunner(ModelConfig config, Transformer transformer, std::shared_ptr<Communicator> communicator,
                         RunnerInfo info, const Options& options)
    : config_(std::move(config)),
      communicator_(std::move(communicator)),
      transformer_(std::move(transformer)),
      info_(std::move(info)),
      options_(options),
      adapters_(config_, *communicator_, options_.cpu),
      pool_(config_.layers,
            {options.kv, std::max(1, config_.kv_heads / communicator_->size()),  // as ShardPlan has it
             config_.head_dim, static_cast<std::int64_t>(info_.kv_block_tokens)},
            options.kv_blocks) {}

TorchRunner::Sequence& TorchRunner::sequence(const StepSequence& part) {
  const auto found = sequences_.find(part.sequence);
  if (found != sequences_.end()) return found->second;
  return sequences_.try_emplace(part.sequence, Sequence{KvBlocks(pool_), part.adapter}).first->second;
}

void TorchRunner::fork(const Fork& fork) {
  const Sequence& from = sequences_.at(fork.from);
  Sequence to{from.kv.first(fork.length.value()), from.adapter};
  sequences_.emplace(fork.to, std::move(to));
}

StepResult TorchRunner::run(const StepPlan& plan) {
  for (const Fork& each : plan.forks) fork(each);
  for (const SequenceId id : plan.released) sequences_.erase(id);
  StepResult result;
  result.vocabulary = info_.vocabulary;
  if (plan.sequences.empty()) return result;

  Batch batch;
  for (const StepSequence& part : plan.sequences) batch.add(part, sequence(part).kv);
  PagedAttention attention(options_.cpu, batch.parts);
  const std::unique_ptr<const Deltas> deltas = adapters_.deltas_for(batch.adapters);
  const at::Tensor hidden =
      transformer_.hidden(at::tensor(batch.ids, at::kLong), at::tensor(batch.positions, at::kLong),
                          {.attention = attention, .deltas = deltas.get()});
  for (const PagedAttention::Part& part : batch.parts) part.kv->commit(part.tokens);
  if (batch.logit_rows.empty()) return result;
  const at::Tensor rows = at::index_select(hidden, 0, at::tensor(batch.logit_rows, at::kLong));
  const at::Tensor logits = transformer_.logits(rows).to(at::kFloat).contiguous();
  const float* const values = logits.const_data_ptr<float>();
  result.logits.assign(values, values + logits.numel());
  return result;
}

Expected<StepResult> TorchRunner::step(const StepPlan& plan) {
  if (!thread_count_set_) {  // on the thread that steps: what LibTorch does here is over before its threads would help
    at::set_num_threads(1);
    thread_count_set_ = true;
  }
  const RunnerState state{.info = info_,
                          .held = [this](SequenceId id) -> std::optional<HeldLength> {
                            const auto found = sequences_.find(id);
                            if (found == sequences_.end()) return std::nullopt;
                            return HeldLength{found->second.kv.length(), found->second.adapter};
                          },
                          .has_adapter = [this](AdapterId id) { return adapters_.holds(id); }};
  if (const Expected<void> valid = check_plan(plan, state); !valid) return valid.error();
  const c10::InferenceMode inference;
  const auto forget = [&] {
    for (const StepSequence& part : plan.sequences) sequences_.erase(part.sequence);
    for (const Fork& each : plan.forks) sequences_.erase(each.to);
  };
  try {
    return run(plan);
  } catch (const KvExhausted&) {  // before anything is exchanged, and on all ranks alike
    forget();
    return StepResult{.vocabulary = info_.vocabulary, .logits = {}, .out_of_memory = true};
  } catch (const std::exception& failure) {
    communicator_->abort(failure.what());  // the others may wait for this rank
    forget();
    return make_error("model step failed: {}", failure.what());
  }
}

Expected<void> TorchRunner::install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) {
  WEFT_CHECK(adapter != nullptr);
  const c10::InferenceMode inference;
  try {
    return adapters_.install(id, *adapter);
  } catch (const std::exception& failure) {
    return make_error("adapter {} could not be installed: {}", adapter->name, failure.what());
  }
}

void TorchRunner::remove_adapter(AdapterId id) { adapters_.remove(id); }

}  // namespace weft::model
