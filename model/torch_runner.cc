#include "model/torch_runner.h"

#include <ATen/Parallel.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <exception>

namespace weft::model {

TorchRunner::TorchRunner(ModelConfig config, Transformer transformer, std::shared_ptr<Communicator> communicator,
                         RunnerInfo info, at::ScalarType dtype, int threads)
    : config_(std::move(config)),
      communicator_(std::move(communicator)),
      transformer_(std::move(transformer)),
      info_(std::move(info)),
      dtype_(dtype),
      threads_(threads) {}

KvBuffer& TorchRunner::sequence(SequenceId id) {
  const auto found = sequences_.find(id);
  if (found != sequences_.end()) return found->second;
  const int local_kv_heads = std::max(1, config_.kv_heads / communicator_->size());  // as ShardPlan has it
  return sequences_.try_emplace(id, config_.layers, local_kv_heads, config_.head_dim, at::TensorOptions().dtype(dtype_))
      .first->second;
}

Expected<void> TorchRunner::validate(const StepPlan& plan) const {
  for (const StepSequence& part : plan.sequences) {
    const auto found = sequences_.find(part.sequence);
    const std::int64_t held = found == sequences_.end() ? 0 : found->second.length();
    const std::int64_t start = part.start.value();
    if (part.tokens.empty()) return make_error("sequence {} has no tokens in this step", part.sequence.value());
    if (start < 0 || start > held) {
      return make_error("sequence {} holds {} tokens and can't go on at position {}", part.sequence.value(), held,
                        start);
    }
    const std::size_t end = static_cast<std::size_t>(start) + part.tokens.size();
    if (end > info_.max_positions) {
      return make_error("sequence {} would hold {} tokens: the model takes {}", part.sequence.value(), end,
                        info_.max_positions);
    }
    for (const TokenId token : part.tokens) {
      if (token.value() < 0 || token.value() >= config_.vocabulary) {
        return make_error("token {} is outside of the vocabulary of {}", token.value(), config_.vocabulary);
      }
    }
  }
  return {};
}

StepResult TorchRunner::run(const StepPlan& plan) {
  std::vector<std::int64_t> ids, positions, rows;
  std::vector<CachedAttention::Part> parts;
  for (const StepSequence& part : plan.sequences) {
    KvBuffer& kv = sequence(part.sequence);
    kv.truncate(part.start.value());
    parts.push_back({&kv, static_cast<std::int64_t>(part.tokens.size())});
    for (std::size_t i = 0; i < part.tokens.size(); ++i) {
      ids.push_back(part.tokens[i].value());
      positions.push_back(part.start.value() + static_cast<std::int64_t>(i));
    }
    if (part.wants_logits) rows.push_back(static_cast<std::int64_t>(ids.size()) - 1);
  }
  CachedAttention attention(parts);
  const at::Tensor hidden =
      transformer_.hidden(at::tensor(ids, at::kLong), at::tensor(positions, at::kLong), {.attention = attention});
  for (const CachedAttention::Part& part : parts) static_cast<KvBuffer*>(part.kv)->commit(part.tokens);

  StepResult result;
  result.vocabulary = info_.vocabulary;
  if (rows.empty()) return result;
  const at::Tensor logits =
      transformer_.logits(at::index_select(hidden, 0, at::tensor(rows, at::kLong))).to(at::kFloat).contiguous();
  result.logits.resize(static_cast<std::size_t>(logits.numel()));
  std::memcpy(result.logits.data(), logits.const_data_ptr<float>(), result.logits.size() * sizeof(float));
  return result;
}

Expected<StepResult> TorchRunner::step(const StepPlan& plan) {
  if (!thread_count_set_) {  // OpenMP keeps a pool per calling thread, so the count is set on the one that steps
    if (threads_ > 0) at::set_num_threads(threads_);
    thread_count_set_ = true;
  }
  for (const SequenceId id : plan.released) sequences_.erase(id);
  if (plan.sequences.empty()) return StepResult{info_.vocabulary, {}};
  const Expected<void> valid = validate(plan);
  if (!valid) return valid.error();
  const c10::InferenceMode inference;
  try {
    return run(plan);
  } catch (const std::exception& failure) {
    communicator_->abort(failure.what());  // the others may wait for this rank
    for (const StepSequence& part : plan.sequences) sequences_.erase(part.sequence);
    return make_error("model step failed: {}", failure.what());
  }
}

Expected<void> TorchRunner::install_adapter(AdapterId /*id*/, std::shared_ptr<const LoraAdapter> /*adapter*/) {
  return make_error("adapters are not served yet");
}

void TorchRunner::remove_adapter(AdapterId /*id*/) {}

}  // namespace weft::model
