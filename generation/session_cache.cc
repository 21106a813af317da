#include "generation/session_cache.h"

#include <algorithm>
#include <utility>

namespace weft::generation {

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::optional<HeldSequence> SessionCache::take(std::string_view session) {
  const auto found = std::ranges::find(entries_, session, &Entry::session);
  if (found == entries_.end()) return std::nullopt;
  HeldSequence sequence = std::move(found->sequence);
  entries_.erase(found);
  return sequence;
}

void SessionCache::keep(std::string_view session, HeldSequence sequence) {
  if (session.empty()) {
    release(sequence.id);
    return;
  }
  if (auto older = take(session)) release(older->id);
  entries_.push_front({std::string(session), std::move(sequence)});
  if (entries_.size() <= limit_) return;
  release(entries_.back().sequence.id);
  entries_.pop_back();
}

void SessionCache::clear() {
  for (const Entry& entry : entries_) release(entry.sequence.id);
  entries_.clear();
}

std::vector<SequenceId> SessionCache::take_released() { return std::exchange(released_, {}); }

}  // namespace weft::generation
