// SessionCache: which sequences of the runner outlive their request, and which tokens they hold. A running request owns
// its sequences; the cache owns the others. Holds no KV itself: `take_released` says what the runner may free. A
// session has a sequence for each adapter, since KV is of one adapter alone. Engine thread only; pure.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/base/strong_id.h"

namespace weft::generation {

struct HeldSequence {
  SequenceId id;
  std::vector<TokenId> tokens;  // their KV is in the runner
};

struct SessionKey {
  std::string session;  // empty: nothing is kept
  AdapterId adapter;
  friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

[[nodiscard]] std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b);

class SessionCache {
 public:
  explicit SessionCache(std::size_t limit) : limit_(limit) {}

  // Hands the key's sequence over, if there is one.
  [[nodiscard]] std::optional<HeldSequence> take(const SessionKey& key);
  // Replaces the key's sequence. Releases the one unused for longest when there are more than `limit`.
  void keep(const SessionKey& key, HeldSequence sequence);
  void release(SequenceId id) { released_.push_back(id); }
  void drop(AdapterId adapter);  // what is kept with it
  void clear();
  // Each id once.
  [[nodiscard]] std::vector<SequenceId> take_released();

 private:
  struct Entry {
    SessionKey key;
    HeldSequence sequence;
  };
  const std::size_t limit_;
  std::list<Entry> entries_;  // the last used first
  std::vector<SequenceId> released_;
};

}  // namespace weft::generation
