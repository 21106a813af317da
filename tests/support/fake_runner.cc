#include "tests/support/fake_runner.h"

#include <algorithm>
#include <utility>

namespace weft::test {
namespace {

constexpr float kChosenLogit = 10.0F;

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finaliser (Steele et al. 2014)
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

std::vector<float> pointing_at(TokenId token) {
  std::vector<float> logits(ByteTokenizer::kVocabulary, 0.0F);
  logits[static_cast<std::size_t>(token.value())] = kChosenLogit;
  return logits;
}

std::string text_of(std::span<const TokenId> tokens) {
  const ByteTokenizer tokenizer;
  return tokenizer.decode(tokens);
}

// What stands before the cursor: all of it without infilling; <fim_prefix>P<fim_suffix>S<fim_middle>G gives P and G,
// <fim_prefix><fim_suffix>S<fim_middle>PG its end.
std::string text_before_cursor(std::span<const TokenId> history) {
  const auto middle = std::ranges::find(history, ByteTokenizer::kFimMiddle);
  const auto suffix = std::find(history.begin(), middle, ByteTokenizer::kFimSuffix);
  if (middle == history.end()) return text_of(history);
  return text_of({history.begin(), suffix}) + text_of({middle + 1, history.end()});
}

}  // namespace

Script hashed_script(std::size_t vocabulary, std::uint64_t seed) {
  return [vocabulary, seed](std::span<const TokenId> history) {
    std::uint64_t state = mix(seed);
    for (const TokenId token : history) state = mix(state ^ static_cast<std::uint64_t>(token.value()));
    std::vector<float> logits(vocabulary);
    for (float& logit : logits) {
      state = mix(state);
      logit = static_cast<float>(state >> 40U) / static_cast<float>(1U << 22U);  // [0, 4)
    }
    return logits;
  };
}

Script by_heart_script(std::string text) {
  return [text = std::move(text)](std::span<const TokenId> history) {
    const std::string before = text_before_cursor(history);
    std::size_t best_length = 0, best_end = text.size();
    for (std::size_t end = 1; end <= text.size(); ++end) {
      std::size_t length = 0;
      while (length < std::min(end, before.size()) && text[end - length - 1] == before[before.size() - length - 1]) {
        ++length;
      }
      if (length > best_length) best_length = length, best_end = end;
    }
    return pointing_at(best_end < text.size() ? byte_token(text[best_end]) : ByteTokenizer::kEndOfText);
  };
}

Script reply_script(std::string reply) {
  return [reply = std::move(reply)](std::span<const TokenId> history) {
    const auto middle = std::find(history.rbegin(), history.rend(), ByteTokenizer::kFimMiddle);
    const auto said = static_cast<std::size_t>(middle - history.rbegin());
    return pointing_at(said < reply.size() ? byte_token(reply[said]) : ByteTokenizer::kEndOfText);
  };
}

FakeRunner::FakeRunner(Script script, FakeRunnerOptions options)
    : script_(std::move(script)),
      adapter_scripts_(std::move(options.adapter_scripts)),
      missing_module_(std::move(options.missing_module)),
      info_{.name = std::move(options.name),
            .device = "fake",
            .dtype = "fp32",
            .vocabulary = options.vocabulary,
            .max_positions = options.max_positions,
            .parameters = 0},
      gate_(std::move(options.gate)),
      on_step_(std::move(options.on_step)),
      kv_tokens_(options.kv_tokens) {}

std::size_t FakeRunner::free_kv_tokens() const {
  const std::lock_guard lock(mutex_);
  return kv_tokens_ - std::min(kv_tokens_, tokens_held(sequences_));
}

// What several histories begin with is held once: in order, each adds what it does not share with the one before.
std::size_t FakeRunner::tokens_held(const Sequences& sequences) {
  std::vector<std::pair<AdapterId, std::span<const TokenId>>> histories;
  for (const auto& [id, sequence] : sequences) histories.emplace_back(sequence.adapter, sequence.history);
  std::ranges::sort(histories, [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return std::ranges::lexicographical_compare(a.second, b.second);
  });
  std::size_t held = 0;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    const auto& [adapter, history] = histories[i];
    held += history.size();
    if (i == 0 || histories[i - 1].first != adapter) continue;
    const auto common = std::ranges::mismatch(history, histories[i - 1].second).in1 - history.begin();
    held -= static_cast<std::size_t>(common);
  }
  return held;
}

Expected<FakeRunner::Sequences> FakeRunner::prepare(const model::StepPlan& plan) const {
  Sequences sequences = sequences_;
  for (const model::Fork& fork : plan.forks) {
    const auto from = sequences.find(fork.from);
    const auto length = static_cast<std::size_t>(fork.length.value());
    if (from == sequences.end() || fork.length.value() < 0 || length > from->second.history.size()) {
      return make_error("{} tokens of sequence {} can't be forked", fork.length.value(), fork.from.value());
    }
    Sequence copy = from->second;
    copy.history.resize(length);
    if (!sequences.try_emplace(fork.to, std::move(copy)).second) {
      return make_error("sequence {} can't be forked to {}, which exists", fork.from.value(), fork.to.value());
    }
  }
  for (const SequenceId id : plan.released) sequences.erase(id);
  std::set<SequenceId> seen;
  for (const model::StepSequence& part : plan.sequences) {
    if (!seen.insert(part.sequence).second) {
      return make_error("sequence {} stands twice in one step", part.sequence.value());
    }
    if (auto valid = check(part, sequences); !valid) return valid.error();
  }
  return sequences;
}

Expected<void> FakeRunner::check(const model::StepSequence& part, const Sequences& sequences) const {
  const auto found = sequences.find(part.sequence);
  const std::size_t held = found == sequences.end() ? 0 : found->second.history.size();
  const std::size_t end = static_cast<std::size_t>(part.start.value()) + part.tokens.size();
  if (part.tokens.empty()) return make_error("sequence {} has no tokens in this step", part.sequence.value());
  if (part.start.value() < 0 || static_cast<std::size_t>(part.start.value()) > held) {
    return make_error("sequence {} holds {} tokens and can't go on at position {}", part.sequence.value(), held,
                      part.start.value());
  }
  if (found != sequences.end() && found->second.adapter != part.adapter) {
    return make_error("sequence {} is of adapter {}, not {}", part.sequence.value(), found->second.adapter.value(),
                      part.adapter.value());
  }
  if (part.adapter != AdapterId() && !adapters_.contains(part.adapter)) {
    return make_error("adapter {} is not installed", part.adapter.value());
  }
  if (end > info_.max_positions) {
    return make_error("sequence {} would hold {} tokens: the model takes {}", part.sequence.value(), end,
                      info_.max_positions);
  }
  if (part.logits > part.tokens.size()) {
    return make_error("sequence {} can't have {} rows of logits of {} tokens", part.sequence.value(), part.logits,
                      part.tokens.size());
  }
  for (const TokenId token : part.tokens) {
    if (token.value() < 0 || static_cast<std::size_t>(token.value()) >= info_.vocabulary) {
      return make_error("token {} is outside of the vocabulary of {}", token.value(), info_.vocabulary);
    }
  }
  return {};
}

void FakeRunner::apply(const model::StepSequence& part, model::StepResult& result) {
  Sequence& sequence = sequences_[part.sequence];
  sequence.adapter = part.adapter;
  sequence.history.resize(static_cast<std::size_t>(part.start.value()));
  sequence.history.insert(sequence.history.end(), part.tokens.begin(), part.tokens.end());
  tokens_computed_ += part.tokens.size();
  const Script& script = part.adapter == AdapterId() ? script_ : adapters_.at(part.adapter).script;
  const std::span<const TokenId> history(sequence.history);
  for (std::size_t row = part.logits; row > 0; --row) {
    const std::vector<float> logits = script(history.first(history.size() - row + 1));
    WEFT_CHECK(logits.size() == info_.vocabulary);
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
  }
}

Expected<model::StepResult> FakeRunner::step(const model::StepPlan& plan) {
  if (gate_ && !plan.sequences.empty()) gate_->pass();
  if (on_step_ && !plan.sequences.empty()) on_step_();
  const std::lock_guard lock(mutex_);
  const std::size_t number = plans_.size();
  if (!plan.sequences.empty()) plans_.push_back(plan);
  Expected<Sequences> prepared = prepare(plan);
  if (!prepared) {
    ++broken_plans_;
    return prepared.error();
  }
  sequences_ = *std::move(prepared);
  model::StepResult result{.vocabulary = info_.vocabulary, .logits = {}};
  if (plan.sequences.empty()) return result;
  const bool exhausted = steps_without_memory_.contains(number);
  if (failing_step_ == number || exhausted) {
    for (const model::StepSequence& part : plan.sequences) sequences_.erase(part.sequence);
    result.out_of_memory = exhausted;
    return exhausted ? Expected<model::StepResult>(result) : make_error("{}", failure_);
  }
  for (const model::StepSequence& part : plan.sequences) apply(part, result);
  most_tokens_held_ = std::max(most_tokens_held_, tokens_held(sequences_));
  return result;
}

Expected<void> FakeRunner::install_adapter(AdapterId id, std::shared_ptr<const model::LoraAdapter> adapter) {
  const std::lock_guard lock(mutex_);
  WEFT_CHECK(id != AdapterId() && !adapters_.contains(id) && adapter != nullptr);
  for (const model::LoraDelta& delta : adapter->deltas) {
    if (!missing_module_.empty() && delta.module == missing_module_) {
      return make_error("adapter {}: the model has no linear {}", adapter->name, delta.module);
    }
  }
  const auto found = adapter_scripts_.find(adapter->name);
  adapters_.emplace(id, Adapter{adapter->name, found == adapter_scripts_.end() ? script_ : found->second});
  return {};
}

void FakeRunner::remove_adapter(AdapterId id) {
  const std::lock_guard lock(mutex_);
  for (const auto& [sequence, held] : sequences_) WEFT_CHECK(held.adapter != id);
  adapters_.erase(id);
}

void FakeRunner::fail_at(std::size_t step, std::string message) {
  const std::lock_guard lock(mutex_);
  failing_step_ = step;
  failure_ = std::move(message);
}

void FakeRunner::run_out_of_memory_at(std::set<std::size_t> steps) {
  const std::lock_guard lock(mutex_);
  steps_without_memory_ = std::move(steps);
}

std::size_t FakeRunner::steps() const {
  const std::lock_guard lock(mutex_);
  return plans_.size();
}

std::size_t FakeRunner::tokens_computed() const {
  const std::lock_guard lock(mutex_);
  return tokens_computed_;
}

std::size_t FakeRunner::most_tokens_held() const {
  const std::lock_guard lock(mutex_);
  return most_tokens_held_;
}

std::size_t FakeRunner::sequences_held() const {
  const std::lock_guard lock(mutex_);
  return sequences_.size();
}

std::vector<std::vector<TokenId>> FakeRunner::histories() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::vector<TokenId>> out;
  for (const auto& [id, sequence] : sequences_) out.push_back(sequence.history);
  return out;
}

std::vector<std::string> FakeRunner::adapters() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [id, adapter] : adapters_) out.push_back(adapter.name);
  return out;
}

std::vector<model::StepPlan> FakeRunner::plans() const {
  const std::lock_guard lock(mutex_);
  return plans_;
}

std::size_t FakeRunner::broken_plans() const {
  const std::lock_guard lock(mutex_);
  return broken_plans_;
}

}  // namespace weft::test
