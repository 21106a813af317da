// SuffixIndex: texts of tokens, and where the end of a given context stands in them. Not thread-safe; const calls may
// run side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generation/memory/token_memory.h"

namespace weft::generation {

struct SuffixIndexLimits {
  std::size_t longest_match = 32;  // tokens; a longer match says no more
  std::size_t places = 64;         // that one look-up compares, the newest first: what bounds its time
};

class SuffixIndex {
 public:
  using TextId = std::uint64_t;
  explicit SuffixIndex(SuffixIndexLimits limits = {}) : limits_(limits) {}

  // Replaces the text of that id, if there is one.
  void set_text(TextId id, std::span<const TokenId> tokens);
  // At the end of the text, which begins with it if there is none. A sequence that grows costs its new tokens alone.
  void append(TextId id, std::span<const TokenId> tokens);
  void remove_text(TextId id);  // unknown ids are ignored

  struct Match {
    std::size_t length = 0;                   // tokens; 0: none
    std::vector<Continuation> continuations;  // most frequent first, ties newest first; empty where length is 0
  };
  // The longest end of `context` that stands in a text with a token behind it. No match runs across two texts.
  [[nodiscard]] Match longest_match(std::span<const TokenId> context) const;

  [[nodiscard]] std::size_t tokens() const;  // of all texts
  [[nodiscard]] std::size_t bytes() const;   // of memory, about
};

}  // namespace weft::generation
