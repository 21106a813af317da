// Texts of one token a letter, and what a match says, for tests of what remembers tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generation/memory/suffix_places.h"

namespace weft::generation {

inline std::vector<TokenId> letters(std::string_view text) {
  std::vector<TokenId> out;
  for (const char c : text) out.emplace_back(c);
  return out;
}

// "LENGTH: x2 y1"
inline std::string said(const SuffixMatch& match) {
  std::string out = std::to_string(match.length) + ":";
  for (const Continuation& next : match.continuations) {
    out += ' ';
    out += static_cast<char>(next.token.value());
    out += std::to_string(next.count);
  }
  return out;
}

}  // namespace weft::generation
