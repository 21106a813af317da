#include "generation/session_cache.h"

#include <algorithm>
#include <utility>

namespace weft::generation {

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::optional<HeldSequence> SessionCache::take(const SessionKey& key) {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  if (found == entries_.end()) return std::nullopt;
  HeldSequence sequence = std::move(found->sequence);
  entries_.erase(found);
  return sequence;
}

void SessionCache::keep(const SessionKey& key, HeldSequence sequence) {
  if (key.session.empty()) {
    release(sequence.id);
    return;
  }
  if (auto older = take(key)) release(older->id);
  entries_.push_front({key, std::move(sequence)});
  if (entries_.size() <= limit_) return;
  release(entries_.back().sequence.id);
  entries_.pop_back();
}

void SessionCache::drop(AdapterId adapter) {
  std::erase_if(entries_, [&](const Entry& entry) {
    if (entry.key.adapter != adapter) return false;
    release(entry.sequence.id);
    return true;
  });
}

void SessionCache::clear() {
  for (const Entry& entry : entries_) release(entry.sequence.id);
  entries_.clear();
}

std::vector<SequenceId> SessionCache::take_released() { return std::exchange(released_, {}); }

}  // namespace weft::generation
