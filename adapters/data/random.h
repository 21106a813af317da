// Random: a small counter-based generator (SplitMix64, Steele et al. 2014) whose stream is a function of its seed
// alone, the same on every machine. One thread.
#pragma once

#include <cstdint>

#include "model/base/hash.h"

namespace weft::adapters {

__extension__ using Wide = unsigned __int128;

class Random {
 public:
  template <class... Parts>
  explicit Random(std::uint64_t seed, Parts... parts) : state_(step(seed)) {
    ((state_ = step(state_ ^ static_cast<std::uint64_t>(parts))), ...);
  }
  std::uint64_t next() { return step(state_ += kGolden64); }
  // 0 <= result < bound; bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)

 private:
  static constexpr std::uint64_t step(std::uint64_t x) { return mix64(x + kGolden64); }
  std::uint64_t state_;
};

}  // namespace weft::adapters
