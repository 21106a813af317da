// SessionCache: which sequences of the runner outlive their request, and which tokens they hold. A running request owns
// its sequence; the cache owns the others. Holds no KV itself: `take_released` says what the runner may free.
// Engine thread only; pure.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/strong_id.h"

namespace weft::generation {

struct HeldSequence {
  SequenceId id;
  std::vector<TokenId> tokens;  // their KV is in the runner
};

[[nodiscard]] std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b);

class SessionCache {
 public:
  explicit SessionCache(std::size_t limit) : limit_(limit) {}

  // Hands the session's sequence over, if there is one.
  [[nodiscard]] std::optional<HeldSequence> take(std::string_view session);
  // Replaces the session's sequence. Releases the one unused for longest when there are more than `limit`.
  // The empty session keeps nothing.
  void keep(std::string_view session, HeldSequence sequence);
  void release(SequenceId id) { released_.push_back(id); }
  void clear();
  // Each id once.
  [[nodiscard]] std::vector<SequenceId> take_released();

 private:
  struct Entry {
    std::string session;
    HeldSequence sequence;
  };
  const std::size_t limit_;
  std::list<Entry> entries_;  // the last used first
  std::vector<SequenceId> released_;
};

}  // namespace weft::generation
