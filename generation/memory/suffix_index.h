// SuffixIndex: texts of tokens, and where the end of a given context stands in them (SuffixPlaces, which says how).
// Adding or removing a token costs the logarithm of their number, well under a microsecond; memory follows the texts
// that are there. Not thread-safe; const calls may run side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "generation/memory/suffix_places.h"
#include "generation/memory/token_memory.h"

namespace weft::generation {

class SuffixIndex {
 public:
  using TextId = generation::TextId;
  using Match = SuffixMatch;
  explicit SuffixIndex(SuffixIndexLimits limits = {}) : places_(limits) {}
  SuffixIndex(SuffixIndex&&) = default;
  SuffixIndex& operator=(SuffixIndex&&) = default;

  // Replaces the text of that id, if there is one. The first `context` tokens are what the text follows: they are
  // compared, but are no places themselves.
  void set_text(TextId id, std::span<const TokenId> tokens, std::size_t context = 0);
  // At the end of the text, which begins with it if there is none. A sequence that grows costs its new tokens alone.
  void append(TextId id, std::span<const TokenId> tokens);
  void remove_text(TextId id);  // unknown ids are ignored

  // SuffixPlaces's.
  [[nodiscard]] Match longest_match(std::span<const TokenId> context) const { return places_.longest_match(context); }
  [[nodiscard]] std::size_t tokens() const { return places_.tokens(); }
  [[nodiscard]] std::size_t bytes() const;

  // As it is now, whatever is written later. Costs a pointer for some hundred tokens.
  [[nodiscard]] std::shared_ptr<const SuffixPlaces> snapshot();

 private:
  using Place = SuffixPlaces::Place;
  using Piece = SuffixPlaces::Piece;
  using Block = SuffixPlaces::Block;
  using Entry = SuffixPlaces::Entry;
  using At = SuffixPlaces::At;

  std::size_t new_piece(TextId id, std::span<const TokenId> context, std::size_t more);  // its slot
  Piece& writable_piece(std::size_t slot);
  Block& writable_block(std::size_t index);
  void insert(Entry entry);
  void erase(Place place);
  void merge_small(std::size_t index);

  SuffixPlaces places_;
  std::unordered_map<TextId, std::vector<std::size_t>> texts_;  // slots of each one's pieces, in order
  std::vector<std::size_t> free_slots_;
  std::uint64_t epoch_ = 0;  // counts snapshots: what is of an earlier one may be shared
  std::uint64_t born_ = 0;
};

}  // namespace weft::generation
