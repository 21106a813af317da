// Hashes that are the same on every machine; not against an adversary. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

// The finaliser of SplitMix64 (Steele et al. 2014): a bijection in which every input bit reaches every output bit.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}
constexpr std::uint64_t kGolden64 = 0x9e3779b97f4a7c15ULL;  // SplitMix64's increment

// FNV-1a.
constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace weft
