// AdapterTable: which adapters requests may name, and how many do. Engine thread only; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "model/base/check.h"
#include "model/base/strong_id.h"

namespace weft::generation {

class AdapterTable {
 public:
  // An id never given before.
  [[nodiscard]] AdapterId new_id() { return AdapterId(++last_id_); }
  void add(AdapterId id) { entries_.emplace(id, Entry{}); }

  // A request names it from here on; false when none may. The base alone may always be named.
  [[nodiscard]] bool acquire(AdapterId id) {
    if (id == AdapterId()) return true;
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.removed) return false;
    ++found->second.requests;
    return true;
  }
  // That request has ended. True: the adapter is unused and is no longer in the table.
  [[nodiscard]] bool release(AdapterId id) {
    if (id == AdapterId()) return false;
    Entry& entry = entries_.at(id);
    WEFT_CHECK(entry.requests > 0);
    --entry.requests;
    return erase_if_unused(id);
  }
  // No new request may name it. True as for release.
  [[nodiscard]] bool remove(AdapterId id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return false;
    found->second.removed = true;
    return erase_if_unused(id);
  }
  [[nodiscard]] std::vector<AdapterId> ids() const {
    std::vector<AdapterId> out;
    for (const auto& [id, entry] : entries_) out.push_back(id);
    return out;
  }

 private:
  struct Entry {
    std::size_t requests = 0;
    bool removed = false;
  };
  [[nodiscard]] bool erase_if_unused(AdapterId id) {
    const Entry& entry = entries_.at(id);
    if (!entry.removed || entry.requests > 0) return false;
    entries_.erase(id);
    return true;
  }
  std::map<AdapterId, Entry> entries_;
  std::uint32_t last_id_ = 0;
};

}  // namespace weft::generation
