// Random: a small counter-based generator (SplitMix64, Steele et al. 2014) whose stream is a function of its seed
// alone, the same on every machine. One thread.
#pragma once

#include <cstdint>

namespace weft::adapters {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  template <class... Parts>
  explicit Random(std::uint64_t seed, Parts... parts) : state_(mix(seed)) {
    ((state_ = mix(state_ ^ static_cast<std::uint64_t>(parts))), ...);
  }
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  // 0 <= result < bound; bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)

 private:
  std::uint64_t state_;
};

}  // namespace weft::adapters
