// TypedCache: what was offered, and what of it is left when the user typed exactly its beginning. The text on both
// sides must be the same as when it was offered, so that nothing stale is shown. Not thread-safe: its owner's mutex
// guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"

namespace weft::generation {

class TypedCache {
 public:
  explicit TypedCache(std::size_t capacity) : capacity_(capacity) {}

  struct Moment {
    std::string_view path;
    std::string_view before, after;  // the text around the cursor
    Trigger trigger = Trigger::kAutomatic;
  };
  void store(const Moment& moment, std::vector<CompletionItem> items);
  // The rests of the newest suggestion that goes on from here; empty: there is none. What was asked for by hand is good
  // for typing too, not the other way round.
  [[nodiscard]] std::vector<CompletionItem> find(const Moment& moment);

 private:
  struct Entry {
    std::string path;
    std::size_t offset;  // bytes before the cursor
    std::size_t before_hash, after_hash, after_bytes;
    Trigger trigger;
    std::vector<CompletionItem> items;
  };
  [[nodiscard]] static std::vector<CompletionItem> rests(const Entry& entry, const Moment& moment);
  std::size_t capacity_;
  std::list<Entry> entries_;  // newest first
};

}  // namespace weft::generation
