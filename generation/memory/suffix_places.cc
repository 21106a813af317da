#include "generation/memory/suffix_places.h"

#include <algorithm>

#include "model/base/check.h"

namespace weft::generation {
namespace {

constexpr std::size_t kLongestMatch = 64;

}  // namespace

SuffixPlaces::SuffixPlaces(SuffixIndexLimits limits) : limits_(limits) {
  WEFT_CHECK(limits.longest_match > 0 && limits.longest_match <= kLongestMatch && limits.places > 0);
}

SuffixPlaces::Comparison SuffixPlaces::compare(Key a, Key b) {
  const std::size_t shorter = std::min(a.length, b.length);
  for (std::size_t i = 0; i < shorter; ++i) {
    const TokenId left = *(a.last - i), right = *(b.last - i);
    if (left != right) return {i, left < right ? -1 : 1};
  }
  return {shorter, a.length == b.length ? 0 : a.length < b.length ? -1 : 1};
}

SuffixPlaces::Key SuffixPlaces::key_of(Place place) const {
  const std::size_t index = place & (kPieceTokens - 1);
  return {slot_of(place).tokens + index, std::min(index + 1, limits_.longest_match)};
}

template <class Before>
SuffixPlaces::At SuffixPlaces::partition_point(const Before& before) const {
  const auto behind =
      std::ranges::partition_point(blocks_, before, [](const BlockSlot& slot) { return slot.first; }) - blocks_.begin();
  if (behind == 0) return {0, 0};
  const auto block = static_cast<std::size_t>(behind) - 1;
  const Block& entries = *blocks_[block].block;
  const auto end = entries.entries.begin() + static_cast<std::ptrdiff_t>(entries.size);
  const auto found =
      std::ranges::partition_point(entries.entries.begin() + 1, end, before, [](const Entry& e) { return e.place; });
  if (found == end) return {block + 1, 0};
  return {block, static_cast<std::size_t>(found - entries.entries.begin())};
}

SuffixPlaces::At SuffixPlaces::place_of(Key key, Place place) const {
  return partition_point([&](Place other) {
    const int order = compare(key_of(other), key).order;
    return order < 0 || (order == 0 && other < place);
  });
}

bool SuffixPlaces::step_back(At& at) const {
  if (at.index > 0) {
    --at.index;
    return true;
  }
  if (at.block == 0) return false;
  --at.block;
  at.index = blocks_[at.block].block->size - 1;
  return true;
}

bool SuffixPlaces::step_forward(At& at) const {
  if (++at.index < blocks_[at.block].block->size) return true;
  at = {at.block + 1, 0};
  return at.block < blocks_.size();
}

SuffixMatch SuffixPlaces::longest_match(std::span<const TokenId> context, std::optional<TextId> except) const {
  if (context.empty() || blocks_.empty()) return {};
  const Key key{&context.back(), std::min(context.size(), limits_.longest_match)};
  const auto kept = [&](At where) { return slot_of(at(where).place).text != except; };
  const At middle = place_of(key, 0);
  // What has most in common with the context stands beside the place where it would be.
  std::size_t length = 0;
  At behind = middle;
  bool there = behind.block < blocks_.size();
  while (there && !kept(behind)) there = step_forward(behind);
  if (there) length = compare(key_of(at(behind).place), key).common;
  At before = middle;
  do {
    there = step_back(before);
  } while (there && !kept(before));
  if (there) length = std::max(length, compare(key_of(at(before).place), key).common);
  if (length == 0) return {};
  const Key end_of_context{key.last, length};
  const At begin = partition_point([&](Place place) { return compare(key_of(place), end_of_context).order < 0; });
  const At end = partition_point([&](Place place) {
    const Comparison compared = compare(key_of(place), end_of_context);
    return compared.common == length || compared.order < 0;
  });
  return {length, count(begin, end, except)};
}

std::vector<Continuation> SuffixPlaces::count(At begin, At end, std::optional<TextId> except) const {
  std::size_t all = end.index;
  for (std::size_t block = begin.block; block < end.block; ++block) all += blocks_[block].block->size;
  all -= begin.index;
  const std::size_t stride = (all + limits_.places - 1) / limits_.places;

  struct Seen {
    TokenId token;
    std::uint32_t count;
    std::uint64_t born;
    std::size_t index;  // in the piece
  };
  const auto newer = [](const Seen& a, const Seen& b) {
    return a.born != b.born ? a.born > b.born : a.index > b.index;
  };
  std::vector<Seen> seen;
  const auto see = [&](At where) {
    const Entry& entry = at(where);
    const PieceSlot& slot = slot_of(entry.place);
    if (slot.text != except) seen.push_back({entry.next, 1, slot.born, entry.place & (kPieceTokens - 1)});
  };
  At where = begin;
  std::size_t skip = stride / 2;
  while (where.block < end.block || (where.block == end.block && where.index < end.index)) {
    const std::size_t size = where.block == end.block ? end.index : blocks_[where.block].block->size;
    std::size_t index = where.index + skip;
    for (; index < size; index += stride) see({where.block, index});
    skip = index - size;
    where = {where.block + 1, 0};
  }
  // Left out by `except` or by the stride: one that is there is enough to have been found.
  if (seen.empty()) {
    for (At next = begin; seen.empty(); static_cast<void>(step_forward(next))) see(next);
  }

  std::ranges::sort(seen,
                    [&](const Seen& a, const Seen& b) { return a.token != b.token ? a.token < b.token : newer(a, b); });
  std::size_t distinct = 0;
  for (const Seen& one : seen) {
    if (distinct > 0 && seen[distinct - 1].token == one.token) {
      ++seen[distinct - 1].count;
    } else {
      seen[distinct++] = one;
    }
  }
  seen.resize(distinct);
  std::ranges::sort(seen,
                    [&](const Seen& a, const Seen& b) { return a.count != b.count ? a.count > b.count : newer(a, b); });
  std::vector<Continuation> out;
  out.reserve(distinct);
  for (const Seen& one : seen) out.push_back({one.token, one.count});
  return out;
}

std::size_t SuffixPlaces::bytes() const {
  std::size_t sum = sizeof(*this) + pieces_.capacity() * sizeof(PieceSlot) + blocks_.capacity() * sizeof(BlockSlot) +
                    blocks_.size() * sizeof(Block);
  for (const PieceSlot& slot : pieces_) {
    if (slot.piece) sum += sizeof(Piece) + slot.piece->tokens.capacity() * sizeof(TokenId);
  }
  return sum;
}

}  // namespace weft::generation
