// ResultCache: what was offered, and what of it is left at a place where the user typed its beginning, or took back
// what was typed since. What counts is the text around the cursor, as far as a prompt reaches: an edit far away takes
// nothing away, one nearby does, and undoing it gives back what was offered. Not thread-safe: its owner's mutex guards
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generation/completion/completion.h"

namespace weft::generation {

class ResultCache {
 public:
  explicit ResultCache(std::size_t capacity) : capacity_(capacity) {}

  struct Moment {
    std::string_view path;
    std::string_view before, after;  // the text around the cursor
    Trigger trigger = Trigger::kAutomatic;
    AdapterId adapter{};
  };
  struct Offer {
    std::vector<CompletionItem> items;
    std::string reason;  // why there are none
  };
  // An offer without items is one too: that there is nothing to say here.
  void store(const Moment& moment, Offer offer);
  // The rests of the newest offer that goes on from here; an empty one where it was found for this very place. What was
  // asked for by hand is good for typing too, not the other way round.
  [[nodiscard]] std::optional<Offer> find(const Moment& moment);

 private:
  struct Entry {
    std::uint64_t place;  // hash of what has to be the same
    Trigger trigger;
    Offer offer;
  };
  std::size_t capacity_;
  std::list<Entry> entries_;  // newest first
};

}  // namespace weft::generation
