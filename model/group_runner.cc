#include "model/group_runner.h"

#include <algorithm>
#include <exception>
#include <limits>

#include "model/base/log.h"

namespace weft::model {
namespace {

constexpr std::size_t kRecomputedAtOnce = 256;  // tokens

}  // namespace

Expected<std::unique_ptr<ModelRunner>> GroupRunner::start(GroupRunnerOptions options) {
  std::unique_ptr<GroupRunner> runner(new GroupRunner(std::move(options)));
  if (auto opened = runner->open(); !opened) return opened.error();
  return std::unique_ptr<ModelRunner>(std::move(runner));
}

Expected<void> GroupRunner::open() {
  own_.reset();
  communicator_.reset();
  group_.reset();
  auto group = RankGroup::start(options_.group);
  if (!group) return group.error();
  group_ = *std::move(group);
  auto memory = SharedMemory::create(ShmCommunicator::memory_bytes(group_->size()));
  if (!memory) return memory.error();
  ShmCommunicatorOptions shm;
  shm.size = group_->size();
  shm.peer_failure = [group = group_.get()] { return group->failure(); };
  communicator_ = std::make_shared<ShmCommunicator>(*std::move(memory), std::move(shm));
  auto loaded = load_everywhere();
  if (!loaded) group_.reset();
  return loaded;
}

Expected<void> GroupRunner::load_everywhere() {
  if (auto sent = group_->send_descriptor_to_all(communicator_->memory().descriptor()); !sent) return sent;
  if (auto sent = group_->send_to_all(encode(options_.start)); !sent) return sent;
  auto own = options_.own(communicator_);
  if (!own) return own.error();
  own_ = *std::move(own);
  info_ = own_->info();
  return collect_answers();
}

// One of each rank; the first that is no good.
Expected<void> GroupRunner::collect_answers() {
  Expected<void> out;
  for (int rank = 1; rank < group_->size(); ++rank) {
    const auto answer = group_->receive_from(Rank(rank));
    if (!answer) return answer.error();
    if (!answer->empty() && out) {
      const std::string text(reinterpret_cast<const char*>(answer->data()), answer->size());
      out = make_error("rank {}: {}", rank, text);
    }
  }
  return out;
}

Expected<void> GroupRunner::ensure_open() {
  if (!broken() && !group_->failure()) return {};
  spdlog::warn("starting the ranks of {} again{}", info_.name,
               group_ ? ": " + group_->failure().value_or("they gave up") : "");
  for (auto& [id, history] : histories_) history.held = false;
  try {
    if (auto opened = open(); !opened) return make_error("the ranks cannot be started: {}", opened.error().message);
    for (const auto& [id, adapter] : adapters_) {
      if (auto installed = install_everywhere(id, adapter); !installed) return installed;
    }
  } catch (const std::exception& failure) {
    group_.reset();
    return make_error("the ranks cannot be started: {}", failure.what());
  }
  return {};
}

// The ranks hold the same blocks; without them there is room for whatever a new group will have.
std::size_t GroupRunner::free_kv_tokens() const {
  return own_ ? own_->free_kv_tokens() : std::numeric_limits<std::size_t>::max();
}

Expected<StepResult> GroupRunner::step(const StepPlan& plan) {
  if (auto opened = ensure_open(); !opened) return opened.error();
  if (auto ready = recompute(plan); !ready) return ready.error();
  auto result = run(plan);
  if (result && !result->out_of_memory) {
    remember(plan);
  } else if (result || broken()) {  // otherwise the plan was refused and nothing has changed
    forget(plan);
  }
  return result;
}

Expected<StepResult> GroupRunner::run(const StepPlan& plan) {
  if (auto sent = group_->send_to_all(encode(plan)); !sent) {
    communicator_->abort(sent.error().message);  // some have the plan and wait for the others
    return explain(sent.error());
  }
  auto result = own_->step(plan);
  if (!result && broken()) return explain(result.error());
  return result;
}

// After a failure that ended the group.
Error GroupRunner::explain(const Error& error) {
  return make_error("{}; the ranks are started again for the next request", error.message);
}

// What the plan goes on with and the ranks no longer have.
Expected<void> GroupRunner::recompute(const StepPlan& plan) {
  for (const Fork& fork : plan.forks) {
    if (auto done = recompute(fork.from); !done) return done;
  }
  for (const StepSequence& part : plan.sequences) {
    if (part.start.value() == 0) continue;
    if (auto done = recompute(part.sequence); !done) return done;
  }
  return {};
}

Expected<void> GroupRunner::recompute(SequenceId id) {
  const auto found = histories_.find(id);
  if (found == histories_.end() || found->second.held) return {};
  const std::vector<TokenId> tokens = found->second.tokens;
  const std::size_t answered = found->second.answered;
  for (std::size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
    end = std::min(begin + kRecomputedAtOnce, tokens.size());
    if (begin < answered) end = std::min(end, answered);
    StepPlan plan;
    plan.sequences.push_back({.sequence = id,
                              .start = Position(static_cast<std::int32_t>(begin)),
                              .tokens = {tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                                         tokens.begin() + static_cast<std::ptrdiff_t>(end)},
                              .logits = end == answered ? std::size_t{1} : 0,
                              .adapter = found->second.adapter});
    if (auto done = run(plan); !done) return done.error();
  }
  found->second.held = true;
  return {};
}

void GroupRunner::History::cut(std::size_t length) {
  tokens.resize(length);
  if (length < answered) answered = 0;
}

void GroupRunner::remember(const StepPlan& plan) {
  for (const Fork& fork : plan.forks) {
    History copy = histories_[fork.from];
    copy.cut(static_cast<std::size_t>(fork.length.value()));
    histories_.insert_or_assign(fork.to, std::move(copy));
  }
  for (const SequenceId id : plan.released) histories_.erase(id);
  for (const StepSequence& part : plan.sequences) {
    History& history = histories_[part.sequence];
    history.cut(static_cast<std::size_t>(part.start.value()));
    history.tokens.insert(history.tokens.end(), part.tokens.begin(), part.tokens.end());
    if (part.logits > 0 && history.answered == 0) history.answered = history.tokens.size();
    history.adapter = part.adapter;
    history.held = true;
  }
}

// Nobody goes on with the sequences of a step that failed.
void GroupRunner::forget(const StepPlan& plan) {
  for (const Fork& fork : plan.forks) histories_.erase(fork.to);
  for (const SequenceId id : plan.released) histories_.erase(id);
  for (const StepSequence& part : plan.sequences) histories_.erase(part.sequence);
}

Expected<void> GroupRunner::install_adapter(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) {
  if (auto opened = ensure_open(); !opened) return opened;
  auto installed = install_everywhere(id, adapter);
  if (installed) adapters_.emplace(id, std::move(adapter));
  return installed;
}

Expected<void> GroupRunner::install_everywhere(AdapterId id, std::shared_ptr<const LoraAdapter> adapter) {
  if (auto sent = group_->send_to_all(encode(InstallAdapter{id, adapter})); !sent) {
    communicator_->abort(sent.error().message);
    return explain(sent.error());
  }
  const auto own = own_->install_adapter(id, std::move(adapter));
  const auto others = collect_answers();
  if (own && others) return {};
  remove_adapter(id);
  return own ? others : own;
}

void GroupRunner::remove_adapter(AdapterId id) {
  adapters_.erase(id);
  if (broken()) return;
  own_->remove_adapter(id);
  if (auto sent = group_->send_to_all(encode(RemoveAdapter{id})); !sent) communicator_->abort(sent.error().message);
}

}  // namespace weft::model
