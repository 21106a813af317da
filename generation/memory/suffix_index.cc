#include "generation/memory/suffix_index.h"

#include <algorithm>

#include "model/base/check.h"

namespace weft::generation {
namespace {

constexpr std::size_t kMostPieces = std::size_t{1} << 22;  // a slot and an index together are 32 bits

}  // namespace

void SuffixIndex::set_text(TextId id, std::span<const TokenId> tokens, std::size_t context) {
  WEFT_CHECK(context <= tokens.size());
  remove_text(id);
  const std::size_t told = std::min(context, places_.limits_.longest_match);
  if (told > 0) texts_[id].push_back(new_piece(id, tokens.subspan(context - told, told), tokens.size() - context));
  append(id, tokens.subspan(context));
}

void SuffixIndex::append(TextId id, std::span<const TokenId> tokens) {
  if (tokens.empty()) return;
  std::vector<std::size_t>& slots = texts_[id];
  if (slots.empty()) slots.push_back(new_piece(id, {}, tokens.size()));
  places_.tokens_ += tokens.size();
  Piece* piece = &writable_piece(slots.back());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (piece->tokens.size() == SuffixPlaces::kPieceTokens) {
      const auto full = std::span<const TokenId>(piece->tokens);
      slots.push_back(new_piece(id, full.last(places_.limits_.longest_match), tokens.size() - i));
      piece = &writable_piece(slots.back());
    }
    piece->tokens.push_back(tokens[i]);
    places_.pieces_[slots.back()].tokens = piece->tokens.data();
    if (piece->tokens.size() < 2) continue;
    const std::size_t place = (slots.back() << SuffixPlaces::kPieceBits) | (piece->tokens.size() - 2);
    insert({static_cast<Place>(place), tokens[i]});
  }
}

void SuffixIndex::remove_text(TextId id) {
  const auto found = texts_.find(id);
  if (found == texts_.end()) return;
  for (const std::size_t slot : found->second) {
    const Piece& piece = *places_.pieces_[slot].piece;
    const std::size_t first = std::max<std::size_t>(piece.context, 1) - 1;
    for (std::size_t i = first; i + 1 < piece.tokens.size(); ++i) {
      erase(static_cast<Place>((slot << SuffixPlaces::kPieceBits) | i));
    }
    places_.tokens_ -= piece.tokens.size() - piece.context;
    places_.pieces_[slot] = {};
    free_slots_.push_back(slot);
  }
  texts_.erase(found);
}

std::shared_ptr<const SuffixPlaces> SuffixIndex::snapshot() {
  ++epoch_;
  return std::make_shared<const SuffixPlaces>(places_);
}

std::size_t SuffixIndex::bytes() const {
  std::size_t sum = places_.bytes() + free_slots_.capacity() * sizeof(std::size_t);
  for (const auto& [id, slots] : texts_) sum += 64 + slots.capacity() * sizeof(std::size_t);  // a node of the map
  return sum;
}

std::size_t SuffixIndex::new_piece(TextId id, std::span<const TokenId> context, std::size_t more) {
  std::size_t slot = places_.pieces_.size();
  if (free_slots_.empty()) {
    WEFT_CHECK(slot < kMostPieces);
    places_.pieces_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  auto piece = std::make_shared<Piece>();
  piece->tokens.reserve(std::min(context.size() + more, SuffixPlaces::kPieceTokens));
  piece->tokens.assign(context.begin(), context.end());
  piece->context = context.size();
  piece->epoch = epoch_;
  places_.pieces_[slot] = {piece->tokens.data(), ++born_, id, std::move(piece)};
  return slot;
}

SuffixIndex::Piece& SuffixIndex::writable_piece(std::size_t slot) {
  SuffixPlaces::PieceSlot& held = places_.pieces_[slot];
  if (held.piece->epoch != epoch_) {
    held.piece = std::make_shared<Piece>(*held.piece);
    held.piece->epoch = epoch_;
    held.tokens = held.piece->tokens.data();
  }
  return *held.piece;
}

SuffixIndex::Block& SuffixIndex::writable_block(std::size_t index) {
  std::shared_ptr<Block>& block = places_.blocks_[index].block;
  if (block->epoch != epoch_) {
    block = std::make_shared<Block>(*block);
    block->epoch = epoch_;
  }
  return *block;
}

void SuffixIndex::insert(Entry entry) {
  auto& blocks = places_.blocks_;
  if (blocks.empty()) {
    blocks.push_back({entry.place, std::make_shared<Block>()});
    blocks[0].block->epoch = epoch_;
    blocks[0].block->entries[0] = entry;
    blocks[0].block->size = 1;
    return;
  }
  At at = places_.place_of(places_.key_of(entry.place), entry.place);
  if (at.index == 0 && at.block > 0) at = {at.block - 1, blocks[at.block - 1].block->size};
  if (blocks[at.block].block->size == SuffixPlaces::kBlockEntries) {
    constexpr std::size_t kHalf = SuffixPlaces::kBlockEntries / 2;
    Block& full = writable_block(at.block);
    auto upper = std::make_shared<Block>();
    upper->epoch = epoch_;
    upper->size = SuffixPlaces::kBlockEntries - kHalf;
    std::copy(full.entries.begin() + kHalf, full.entries.end(), upper->entries.begin());
    full.size = kHalf;
    const Place first = upper->entries[0].place;
    blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(at.block) + 1, {first, std::move(upper)});
    if (at.index > kHalf) at = {at.block + 1, at.index - kHalf};
  }
  Block& block = writable_block(at.block);
  const auto where = block.entries.begin() + static_cast<std::ptrdiff_t>(at.index);
  const auto end = block.entries.begin() + static_cast<std::ptrdiff_t>(block.size);
  std::copy_backward(where, end, end + 1);
  *where = entry;
  ++block.size;
  blocks[at.block].first = block.entries[0].place;
}

void SuffixIndex::erase(Place place) {
  const At at = places_.place_of(places_.key_of(place), place);
  WEFT_CHECK(at.block < places_.blocks_.size() && places_.at(at).place == place);
  Block& block = writable_block(at.block);
  const auto where = block.entries.begin() + static_cast<std::ptrdiff_t>(at.index);
  std::copy(where + 1, block.entries.begin() + static_cast<std::ptrdiff_t>(block.size), where);
  --block.size;
  places_.blocks_[at.block].first = block.entries[0].place;
  merge_small(at.block);
}

// Two neighbours together never fill less than half a block, so that memory follows what is there.
void SuffixIndex::merge_small(std::size_t index) {
  auto& blocks = places_.blocks_;
  const auto drop = [&blocks](std::size_t i) { blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i)); };
  if (blocks[index].block->size == 0) return drop(index);
  for (const std::size_t left : {index == 0 ? blocks.size() : index - 1, index}) {
    if (left + 1 >= blocks.size()) continue;
    if (blocks[left].block->size + blocks[left + 1].block->size > SuffixPlaces::kBlockEntries / 2) continue;
    Block& into = writable_block(left);
    const Block& from = *blocks[left + 1].block;
    std::copy_n(from.entries.begin(), from.size, into.entries.begin() + static_cast<std::ptrdiff_t>(into.size));
    into.size += from.size;
    return drop(left + 1);
  }
}

}  // namespace weft::generation
