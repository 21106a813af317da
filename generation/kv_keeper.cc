#include "generation/kv_keeper.h"

#include <algorithm>

#include "model/base/log.h"

namespace weft::generation {
namespace {

constexpr std::size_t kShareEvicted = 16;  // of what is held, at least, so that it is not done at each step

}  // namespace

PrefixCache::Match KvKeeper::find(const Decoding& decoding) {
  return cache_.match(decoding.request().adapter, decoding.beginning());
}

void KvKeeper::keep(AdapterId adapter, const Decoding::Sequences& held) {
  moves_.released.insert(moves_.released.end(), held.others.begin(), held.others.end());
  if (held.first) cache_.insert(adapter, held.tokens, *held.first);
}

void KvKeeper::release(const Decoding::Sequences& held) {
  moves_.released.insert(moves_.released.end(), held.others.begin(), held.others.end());
  if (held.first) moves_.released.push_back(*held.first);
}

void KvKeeper::share_prompt(const Decoding& decoding) {
  const std::vector<TokenId>& prompt = decoding.request().prompt;
  const SequenceId copy = new_sequence_();
  moves_.forks.push_back({decoding.first_sequence(), copy, Position(static_cast<std::int32_t>(prompt.size()))});
  cache_.insert(decoding.request().adapter, prompt, copy);
}

void KvKeeper::drop(AdapterId adapter) { cache_.drop(adapter); }

void KvKeeper::clear() { cache_.clear(); }

bool KvKeeper::make_room(std::size_t tokens) {
  while (runner_->free_kv_tokens() < tokens) {
    const std::size_t wanted = std::max(tokens - runner_->free_kv_tokens(), cache_.tokens() / kShareEvicted + 1);
    const std::size_t evicted = cache_.evict(wanted);
    evicted_ += evicted;
    if (evicted == 0 && !cache_.has_moves() && moves_.released.empty()) return false;
    flush();
  }
  return true;
}

// Forks of a running sequence for the cache come first: the cache's own may go on from them.
void KvKeeper::add_moves(model::StepPlan& plan) {
  for (const SequenceMoves& moves : {std::exchange(moves_, {}), cache_.take_moves()}) {
    plan.forks.insert(plan.forks.end(), moves.forks.begin(), moves.forks.end());
    plan.released.insert(plan.released.end(), moves.released.begin(), moves.released.end());
  }
}

void KvKeeper::flush() {
  model::StepPlan plan;
  add_moves(plan);
  if (plan.forks.empty() && plan.released.empty()) return;
  const auto done = runner_->step(plan);
  if (!done) spdlog::warn("the model did not release its sequences: {}", done.error().message);
}

}  // namespace weft::generation
