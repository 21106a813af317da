#include "model/encoder_decoder_runner.h"

#include <ATen/Parallel.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "model/plan_check.h"

namespace weft::model {
namespace {

constexpr std::size_t kFullPrompts = 16;  // so many of full length are held; sequences share little here

}  // namespace

std::size_t EncoderDecoderRunner::free_kv_tokens() const {
  const std::size_t most = kFullPrompts * info_.max_positions;
  std::size_t held = 0;
  for (const auto& [id, sequence] : sequences_) held += static_cast<std::size_t>(sequence.length());
  return most - std::min(most, held);
}

std::int64_t EncoderDecoderRunner::Sequence::length() const {
  return static_cast<std::int64_t>(source.size()) + (closed ? answer.length() - 1 : 0);
}

void EncoderDecoderRunner::Sequence::cut(std::int64_t start) {
  const auto end = static_cast<std::int64_t>(source.size());
  if (closed && start >= end) {
    answer.truncate(1 + start - end);
    return;
  }
  source.resize(static_cast<std::size_t>(start));
  closed = false;
  answer.truncate(0);
}

EncoderDecoderRunner::EncoderDecoderRunner(ModelConfig config, EncoderDecoder model,
                                           std::shared_ptr<Communicator> communicator, RunnerInfo info,
                                           at::ScalarType dtype, int threads)
    : config_(std::move(config)),
      communicator_(std::move(communicator)),
      model_(std::move(model)),
      info_(std::move(info)),
      dtype_(dtype),
      threads_(threads) {
  WEFT_CHECK(config_.encoder.has_value());
  info_.causal = false;
}

EncoderDecoderRunner::Sequence& EncoderDecoderRunner::sequence(SequenceId id) {
  const auto found = sequences_.find(id);
  if (found != sequences_.end()) return found->second;
  KvBuffer empty(config_.layers, config_.heads / communicator_->size(), config_.head_dim,
                 at::TensorOptions().dtype(dtype_));
  return sequences_.try_emplace(id, Sequence{{}, nullptr, false, std::move(empty)}).first->second;
}

void EncoderDecoderRunner::fork(const Fork& fork) {
  const Sequence& from = sequences_.at(fork.from);
  const std::int64_t length = fork.length.value(), end = static_cast<std::int64_t>(from.source.size());
  const bool closed = from.closed && length >= end;
  const auto kept = from.source.begin() + std::min(length, end);
  sequences_.emplace(
      fork.to,
      Sequence{{from.source.begin(), kept}, from.encoded, closed, from.answer.first(closed ? 1 + length - end : 0)});
}

// Closes the sources: those that were not encoded before go through the encoder together.
void EncoderDecoderRunner::encode(const std::vector<Sequence*>& sources) {
  std::vector<std::vector<std::int64_t>> fresh;
  std::vector<Sequence*> owners;
  for (Sequence* each : sources) {
    each->closed = true;
    std::vector<std::int64_t> ids = each->source;
    if (config_.encoder->end >= 0) ids.push_back(config_.encoder->end);
    if (each->encoded && each->encoded->ids == ids) continue;
    fresh.push_back(std::move(ids));
    owners.push_back(each);
  }
  if (fresh.empty()) return;
  std::vector<std::int64_t> all, lengths;
  for (const std::vector<std::int64_t>& ids : fresh) {
    all.insert(all.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
  }
  const at::Tensor encoded = model_.encode(at::tensor(all, at::kLong), lengths, nullptr);
  std::vector<SourceMemory> memories = model_.memories(encoded, lengths, nullptr);
  for (std::size_t i = 0; i < owners.size(); ++i) {
    owners[i]->encoded =
        std::make_shared<const EncodedSource>(EncodedSource{std::move(fresh[i]), std::move(memories[i])});
  }
}

// tokens[i]: what the decoder is given of plan.sequences[i]; none while its source is open.
StepResult EncoderDecoderRunner::decode(const StepPlan& plan, const std::vector<std::vector<std::int64_t>>& tokens) {
  std::vector<std::int64_t> ids, rows;
  std::vector<AnswerPart> parts;
  std::vector<KvBuffer*> answers;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty()) continue;
    Sequence& of = sequences_.at(plan.sequences[i].sequence);
    answers.push_back(&of.answer);
    parts.push_back({&of.answer, &of.encoded->memory, static_cast<std::int64_t>(tokens[i].size())});
    ids.insert(ids.end(), tokens[i].begin(), tokens[i].end());
    if (plan.sequences[i].logits > 0) rows.push_back(static_cast<std::int64_t>(ids.size()) - 1);
  }
  StepResult result;
  result.vocabulary = info_.vocabulary;
  if (parts.empty()) return result;
  const at::Tensor hidden = model_.decode(at::tensor(ids, at::kLong), parts, nullptr);
  for (std::size_t i = 0; i < parts.size(); ++i) answers[i]->commit(parts[i].tokens);
  if (rows.empty()) return result;
  const at::Tensor wanted = at::index_select(hidden, 0, at::tensor(rows, at::kLong));
  const at::Tensor logits = model_.logits(wanted).to(at::kFloat).contiguous();
  result.logits.resize(static_cast<std::size_t>(logits.numel()));
  std::memcpy(result.logits.data(), logits.const_data_ptr<float>(), result.logits.size() * sizeof(float));
  return result;
}

StepResult EncoderDecoderRunner::run(const StepPlan& plan) {
  for (const Fork& each : plan.forks) fork(each);
  for (const SequenceId id : plan.released) sequences_.erase(id);
  std::vector<Sequence*> completed;
  std::vector<std::vector<std::int64_t>> answers(plan.sequences.size());
  for (std::size_t i = 0; i < plan.sequences.size(); ++i) {
    const StepSequence& part = plan.sequences[i];
    Sequence& of = sequence(part.sequence);
    of.cut(part.start.value());
    std::vector<std::int64_t>& into = of.closed ? answers[i] : of.source;
    for (const TokenId token : part.tokens) into.push_back(token.value());
    if (of.closed || part.logits == 0) continue;
    completed.push_back(&of);
    answers[i].push_back(config_.encoder->decoder_start);
  }
  encode(completed);
  return decode(plan, answers);
}

Expected<StepResult> EncoderDecoderRunner::step(const StepPlan& plan) {
  if (!thread_count_set_) {  // OpenMP keeps a pool per calling thread, so the count is set on the one that steps
    if (threads_ > 0) at::set_num_threads(threads_);
    thread_count_set_ = true;
  }
  const RunnerState state{.info = info_,
                          .held = [this](SequenceId id) -> std::optional<HeldLength> {
                            const auto found = sequences_.find(id);
                            if (found == sequences_.end()) return std::nullopt;
                            return HeldLength{found->second.length(), AdapterId()};
                          },
                          .has_adapter = [](AdapterId) { return false; }};
  if (const Expected<void> valid = check_plan(plan, state); !valid) return valid.error();
  const c10::InferenceMode inference;
  try {
    return run(plan);
  } catch (const std::exception& failure) {
    communicator_->abort(failure.what());  // the others may wait for this rank
    for (const StepSequence& part : plan.sequences) sequences_.erase(part.sequence);
    for (const Fork& each : plan.forks) sequences_.erase(each.to);
    return make_error("model step failed: {}", failure.what());
  }
}

Expected<void> EncoderDecoderRunner::install_adapter(AdapterId /*id*/, std::shared_ptr<const LoraAdapter> adapter) {
  WEFT_CHECK(adapter != nullptr);
  return make_error("adapter {}: {} is an encoder-decoder, for which adapters are not supported; train it in full",
                    adapter->name, config_.name);
}

void EncoderDecoderRunner::remove_adapter(AdapterId /*id*/) {}

}  // namespace weft::model
