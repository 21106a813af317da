// FairShares: how much each session was served of late, in tokens, so that one that asks all the time does not push
// the others aside. What was long ago counts less. Engine thread only; pure.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "model/base/clock.h"

namespace weft::generation {

class FairShares {
 public:
  void note(const std::string& session, std::size_t tokens, TimePoint now) {
    Share& share = shares_[session];
    share = {decayed(share, now) + static_cast<double>(tokens), now};
    if (shares_.size() > kMost) std::erase_if(shares_, [&](const auto& each) { return decayed(each.second, now) < 1; });
  }
  [[nodiscard]] double of(const std::string& session, TimePoint now) const {
    const auto found = shares_.find(session);
    return found == shares_.end() ? 0 : decayed(found->second, now);
  }

 private:
  static constexpr double kHalfLifeMs = 2000;
  static constexpr std::size_t kMost = 256;  // before the smallest are forgotten
  struct Share {
    double tokens = 0;
    TimePoint noted{};
  };
  [[nodiscard]] static double decayed(const Share& share, TimePoint now) {
    return share.tokens * std::exp2(-milliseconds_between(share.noted, now) / kHalfLifeMs);
  }
  std::map<std::string, Share> shares_;
};

}  // namespace weft::generation
