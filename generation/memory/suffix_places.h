// SuffixPlaces: all places of some texts in the order of the tokens before them, read backwards, so that the places
// where a given context stands lie side by side. What SuffixIndex writes and everybody else reads.
//
// Why an order and not hashed k-grams or a suffix array: it finds the longest match exactly, in a binary search and
// without one table for each length; it takes a place in and out for the same logarithm, where a suffix array has to be
// sorted again; and removed texts leave nothing behind. A place costs about 16 bytes, token included.
//
// The order is a list of blocks and the texts are pieces; both are shared between copies, and what changes afterwards
// is copied block by block. So a copy is cheap, and a copy behind `const` is a snapshot. Const calls may run side by
// side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generation/memory/token_memory.h"

namespace weft::generation {

struct SuffixIndexLimits {
  std::size_t longest_match = 32;  // tokens, at most 64; a longer match says no more
  std::size_t places = 64;         // whose continuations one look-up counts: what bounds its time
};

using TextId = std::uint64_t;

struct SuffixMatch {
  std::size_t length = 0;                   // tokens; 0: none
  std::vector<Continuation> continuations;  // most frequent first, ties newest first; empty where length is 0
};

class SuffixPlaces {
 public:
  explicit SuffixPlaces(SuffixIndexLimits limits = {});

  // The longest end of `context` that stands in a text with a token behind it, the text `except` aside. No match runs
  // across two texts. Where it stands in more places than the limit, as many are counted, spread evenly over them.
  [[nodiscard]] SuffixMatch longest_match(std::span<const TokenId> context, std::optional<TextId> except = {}) const;

  [[nodiscard]] std::size_t tokens() const { return tokens_; }  // of all texts
  [[nodiscard]] std::size_t bytes() const;                      // of memory, about, shared or not

 private:
  friend class SuffixIndex;

  static constexpr std::size_t kPieceBits = 10;
  static constexpr std::size_t kPieceTokens = std::size_t{1} << kPieceBits;  // at most; what they follow included
  static constexpr std::size_t kBlockEntries = 256;

  // Part of a text, behind the last tokens of the part before it, so that whatever is compared lies in one array.
  struct Piece {
    std::vector<TokenId> tokens;
    std::size_t context = 0;  // of them belong to what is before; their places too, but the last's
    std::uint64_t epoch = 0;  // of the writer's that it was made in
  };
  struct PieceSlot {
    const TokenId* tokens = nullptr;
    std::uint64_t born = 0;  // later: newer
    TextId text = 0;
    std::shared_ptr<Piece> piece;  // null: a free slot
  };
  // A token that has a next one: where it stands, as slot and index in the piece.
  using Place = std::uint32_t;
  struct Entry {
    Place place = 0;
    TokenId next;
  };
  struct Block {
    std::array<Entry, kBlockEntries> entries;
    std::size_t size = 0;
    std::uint64_t epoch = 0;
  };
  struct BlockSlot {
    Place first = 0;  // of the block's entries
    std::shared_ptr<Block> block;
  };
  struct At {
    std::size_t block = 0, index = 0;  // index < the block's size, or the end: {blocks_.size(), 0}
  };
  // Tokens read backwards from the last one.
  struct Key {
    const TokenId* last = nullptr;
    std::size_t length = 0;
  };
  struct Comparison {
    std::size_t common = 0;  // tokens
    int order = 0;           // of the first before the second; 0: both end there
  };

  [[nodiscard]] static Comparison compare(Key a, Key b);
  [[nodiscard]] Key key_of(Place place) const;
  [[nodiscard]] const PieceSlot& slot_of(Place place) const { return pieces_[place >> kPieceBits]; }
  // The first place of which `before` is false; it is true of all that are before and of none behind.
  template <class Before>
  [[nodiscard]] At partition_point(const Before& before) const;
  [[nodiscard]] At place_of(Key key, Place place) const;  // the first that is not before this one
  [[nodiscard]] const Entry& at(At at) const { return blocks_[at.block].block->entries[at.index]; }
  [[nodiscard]] bool step_back(At& at) const;     // false: at the beginning
  [[nodiscard]] bool step_forward(At& at) const;  // false: at the end
  [[nodiscard]] std::vector<Continuation> count(At begin, At end, std::optional<TextId> except) const;

  SuffixIndexLimits limits_;
  std::vector<PieceSlot> pieces_;
  std::vector<BlockSlot> blocks_;  // in order; none is empty
  std::size_t tokens_ = 0;
};

}  // namespace weft::generation
