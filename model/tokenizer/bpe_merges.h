// BpeMerges: byte pair encoding itself, over ids. Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::model {

class BpeMerges {
 public:
  explicit BpeMerges(std::size_t expected);
  // Adds the next merge, of lower priority than those before it. A pair that is there already moves to this place.
  void add(std::int32_t left, std::int32_t right, std::int32_t result);
  // Merges neighbours in `symbols`, the pair of highest priority first and the leftmost among equals, until none is
  // left. O(n log n).
  void apply(std::vector<std::int32_t>& symbols) const;

 private:
  struct Merge {
    std::uint64_t pair = kNone;
    std::int32_t rank = 0, result = 0;
  };
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  [[nodiscard]] const Merge* find(std::int32_t left, std::int32_t right) const;
  [[nodiscard]] std::size_t slot(std::uint64_t pair) const;
  void apply_short(std::vector<std::int32_t>& symbols) const;
  void apply_long(std::vector<std::int32_t>& symbols) const;

  std::vector<Merge> table_;  // open addressing, at most half full, a power of two long
  unsigned shift_;            // 64 - log2 of its length
  std::int32_t next_rank_ = 0;
};

}  // namespace weft::model
