// Strong ids: integers with a meaning, the same size as the integer, that do not mix. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace weft {

template <class Tag, class Int>
class StrongId {
 public:
  using value_type = Int;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Int value) : value_(value) {}
  [[nodiscard]] constexpr Int value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Int value_{};
};

using TokenId = StrongId<struct TokenIdTag, std::int32_t>;
using Position = StrongId<struct PositionTag, std::int32_t>;       // index of a token in its sequence
using SequenceId = StrongId<struct SequenceIdTag, std::uint64_t>;  // one KV history in the runner
using RequestId = StrongId<struct RequestIdTag, std::uint64_t>;
using AdapterId = StrongId<struct AdapterIdTag, std::uint32_t>;  // 0: the base model alone
using Rank = StrongId<struct RankTag, std::int32_t>;

}  // namespace weft

template <class Tag, class Int>
struct std::hash<weft::StrongId<Tag, Int>> {
  std::size_t operator()(weft::StrongId<Tag, Int> id) const noexcept { return std::hash<Int>{}(id.value()); }
};
