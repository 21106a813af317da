#include "model/tokenizer/bpe_merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <queue>
#include <tuple>

#include "model/base/check.h"

namespace weft::model {
namespace {

constexpr std::size_t kShort = 48;  // symbols up to which looking at every pair is faster than a queue
constexpr std::int32_t kNoRank = std::numeric_limits<std::int32_t>::max();

// A pair that stood at `left` and `right` when it was queued; one of them may have been merged since.
struct Candidate {
  std::int32_t rank;
  std::size_t left, right;
  std::uint64_t pair;
  bool operator<(const Candidate& other) const { return std::tie(rank, left) > std::tie(other.rank, other.left); }
};

}  // namespace

BpeMerges::BpeMerges(std::size_t expected) {
  const std::size_t length = std::bit_ceil(std::max<std::size_t>(2 * expected, 2));
  table_.resize(length);
  shift_ = static_cast<unsigned>(64 - std::countr_zero(length));
}

std::size_t BpeMerges::slot(std::uint64_t pair) const {
  std::size_t at = (pair * 0x9E3779B97F4A7C15) >> shift_;
  while (table_[at].pair != pair && table_[at].pair != kNone) at = (at + 1) & (table_.size() - 1);
  return at;
}

void BpeMerges::add(std::int32_t left, std::int32_t right, std::int32_t result) {
  const std::uint64_t pair = pair_of(left, right);
  WEFT_CHECK(static_cast<std::size_t>(next_rank_) < table_.size() / 2);
  table_[slot(pair)] = {pair, next_rank_++, result};
}

const BpeMerges::Merge* BpeMerges::find(std::int32_t left, std::int32_t right) const {
  const Merge& merge = table_[slot(pair_of(left, right))];
  return merge.pair == kNone ? nullptr : &merge;
}

void BpeMerges::apply(std::vector<std::int32_t>& symbols) const {
  if (symbols.size() < 2) return;
  if (symbols.size() <= kShort) {
    apply_short(symbols);
  } else {
    apply_long(symbols);
  }
}

void BpeMerges::apply_short(std::vector<std::int32_t>& symbols) const {
  std::array<std::int32_t, kShort> ranks;    // of the pair that begins here
  std::array<std::int32_t, kShort> results;  // what it becomes
  std::size_t pairs = symbols.size() - 1;
  const auto look = [&](std::size_t at) {
    const Merge* merge = find(symbols[at], symbols[at + 1]);
    ranks[at] = merge != nullptr ? merge->rank : kNoRank;
    results[at] = merge != nullptr ? merge->result : 0;
  };
  for (std::size_t at = 0; at < pairs; ++at) look(at);
  while (pairs > 0) {
    const auto end = ranks.begin() + static_cast<std::ptrdiff_t>(pairs);
    const auto best = std::min_element(ranks.begin(), end);
    if (*best == kNoRank) break;
    const auto at = static_cast<std::size_t>(best - ranks.begin());
    symbols[at] = results[at];
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(at + 2),
              symbols.begin() + static_cast<std::ptrdiff_t>(pairs + 1),
              symbols.begin() + static_cast<std::ptrdiff_t>(at + 1));
    for (std::size_t i = at + 1; i < pairs; ++i) {
      ranks[i - 1] = ranks[i];
      results[i - 1] = results[i];
    }
    --pairs;
    if (at < pairs) look(at);
    if (at > 0) look(at - 1);
  }
  symbols.resize(pairs + 1);
}

void BpeMerges::apply_long(std::vector<std::int32_t>& symbols) const {
  constexpr std::int32_t kGone = -1;
  const std::size_t count = symbols.size();
  std::vector<std::size_t> before(count), after(count);  // neighbours; `count` is none
  std::priority_queue<Candidate> queue;
  const auto look = [&](std::size_t left, std::size_t right) {
    if (const Merge* merge = find(symbols[left], symbols[right])) queue.push({merge->rank, left, right, merge->pair});
  };
  for (std::size_t i = 0; i < count; ++i) {
    before[i] = i > 0 ? i - 1 : count;
    after[i] = i + 1;
    if (i + 1 < count) look(i, i + 1);
  }
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    if (pair_of(symbols[best.left], symbols[best.right]) != best.pair || after[best.left] != best.right) continue;
    symbols[best.left] = find(symbols[best.left], symbols[best.right])->result;
    symbols[best.right] = kGone;
    const std::size_t next = after[best.right];
    after[best.left] = next;
    if (next < count) {
      before[next] = best.left;
      look(best.left, next);
    }
    if (before[best.left] < count) look(before[best.left], best.left);
  }
  std::erase(symbols, kGone);
}

}  // namespace weft::model
