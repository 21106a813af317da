// BpeVocabulary: what the ids of a BpeDefinition stand for, checked. Pure; immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer/bpe_definition.h"
#include "model/tokenizer/bpe_merges.h"
#include "model/tokenizer/byte_trie.h"

namespace weft::model {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using IdsByText = std::unordered_map<std::string, std::int32_t, StringHash, std::equal_to<>>;

struct BpeVocabulary {
  static constexpr std::int32_t kNone = -1;

  std::vector<std::string> bytes;  // by id; "" for control tokens and holes
  IdsByText controls;
  ByteTrie literals;                                      // added tokens that text is cut at, before all else
  std::array<std::int32_t, 256> byte_ids{};               // or kNone
  std::unordered_map<char32_t, std::int32_t> characters;  // unless byte_level
  std::int32_t unknown = kNone;
  IdsByText words;  // with ignore_merges: by the bytes of a piece
  BpeMerges merges{0};

  static Expected<BpeVocabulary> make(const BpeDefinition& definition);
};

}  // namespace weft::model
