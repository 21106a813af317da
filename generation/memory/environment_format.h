// The file of an environment's texts and the order of their places, as EnvironmentBuilder writes and EnvironmentIndex
// reads it. Numbers as this machine has them: it is a cache.
//
//   header             4,096 bytes, zeros behind what is used
//   text               u16 [tokens]: each text behind an kEndOfText, and one at the end
//   blocks             of kBlockPlaces places each, in the order of the tokens before them, read backwards; the last
//                      one is filled up. On the next whole page
//   signposts          of each block its first place: what of the order is held in own memory
//   table              JSON: the packages, and which files the text is made of
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "model/base/hash.h"

namespace weft::generation {

constexpr std::size_t kEnvironmentMatch = 32;  // tokens that are compared; a longer match says no more
constexpr std::size_t kBlockPlaces = 512;
constexpr std::uint16_t kEndOfText = 0xffff;  // no token: the vocabulary ends before it

struct EnvironmentHeader {
  static constexpr std::array<char, 8> kMagic = {'w', 'e', 'f', 't', 'e', 'n', 'v', '1'};
  static constexpr std::size_t kBytes = 4096;

  std::array<char, 8> magic = kMagic;
  std::uint64_t key = 0;  // of what it was made from
  std::uint64_t tokens = 0, places = 0, table_bytes = 0;
  std::uint64_t held_hash = 0;  // of the signposts and the table, which are held in memory
  std::uint64_t hash = 0;       // of what is before it

  [[nodiscard]] std::uint64_t own_hash() const {
    return fnv1a({reinterpret_cast<const char*>(this), offsetof(EnvironmentHeader, hash)});
  }
  [[nodiscard]] std::size_t blocks() const { return (places + kBlockPlaces - 1) / kBlockPlaces; }
  [[nodiscard]] std::size_t text_begin() const { return kBytes; }
  [[nodiscard]] std::size_t blocks_begin() const;
  [[nodiscard]] std::size_t signposts_begin() const;
  [[nodiscard]] std::size_t table_begin() const;
  [[nodiscard]] std::size_t file_bytes() const { return table_begin() + table_bytes; }
};

struct PlaceBlock {
  std::array<std::uint32_t, kBlockPlaces> places{};  // indices into the text; the token behind is no kEndOfText
  std::array<std::uint16_t, kBlockPlaces> nexts{};   // the tokens behind them
};

struct Signpost {
  std::array<std::uint16_t, kEnvironmentMatch> key{};  // the tokens up to the place, backwards; from its text's end on
                                                       // kEndOfText
  std::uint16_t next = 0;
};
static_assert(std::is_trivially_copyable_v<EnvironmentHeader> && std::is_trivially_copyable_v<PlaceBlock> &&
              std::is_trivially_copyable_v<Signpost>);

inline std::size_t EnvironmentHeader::blocks_begin() const {
  const std::size_t end = text_begin() + tokens * sizeof(std::uint16_t);
  return (end + kBytes - 1) / kBytes * kBytes;
}
inline std::size_t EnvironmentHeader::signposts_begin() const { return blocks_begin() + blocks() * sizeof(PlaceBlock); }
inline std::size_t EnvironmentHeader::table_begin() const { return signposts_begin() + blocks() * sizeof(Signpost); }

// Where a file of an environment is from.
struct EnvironmentPackage {
  std::string name, version;
  std::string licence;  // an SPDX expression; empty where none is known
};
struct EnvironmentFile {
  std::size_t begin = 0;    // of its first token in the text
  std::size_t package = 0;  // index
  std::string path;         // under the folder that it is imported from
};
struct EnvironmentTable {
  std::vector<EnvironmentPackage> packages;
  std::vector<EnvironmentFile> files;  // by `begin`
};

// Two places' texts up to them, read backwards and no farther than kEnvironmentMatch or the beginning of a text, which
// comes after every token.
struct BackwardComparison {
  std::size_t common = 0;  // tokens
  int order = 0;           // of the first before the second; 0: as far as is compared they are the same
};

}  // namespace weft::generation
