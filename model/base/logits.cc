#include "model/base/logits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace weft {
namespace {

// Written so that compilers make vector instructions of it: a vocabulary of 150,000 is a good part of a token's time
// otherwise.
constexpr std::size_t kLanes = 16;

bool is_number(float x) { return std::abs(x) <= std::numeric_limits<float>::max(); }

// e to the x, for x <= 0 (below -87: next to nothing), to about 2 in the last place: 2^n times a polynomial of what is
// left (Cephes's expf).
float power(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: what is added to it is rounded to an integer
  const float clamped = std::max(x, -87.0F);
  const float n = (clamped * 1.44269504F + kRound) - kRound;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float value = p * r * r + r + 1.0F;
  const auto exponent = static_cast<std::int32_t>(n);
  return std::bit_cast<float>(std::bit_cast<std::int32_t>(value) + exponent * (1 << 23));
}

}  // namespace

Peak find_peak(std::span<const float> logits) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  std::array<float, kLanes> most;
  most.fill(kNone);
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float logit = logits[i + lane];
      const float counted = is_number(logit) ? logit : kNone;
      most[lane] = counted > most[lane] ? counted : most[lane];
    }
  }
  for (; i < logits.size(); ++i) {
    if (is_number(logits[i])) most[0] = std::max(most[0], logits[i]);
  }
  const float peak = *std::ranges::max_element(most);
  if (!is_number(peak)) return {};
  return {static_cast<std::size_t>(std::ranges::find(logits, peak) - logits.begin()), peak};
}

double log_sum_exp(std::span<const float> logits) { return log_sum_exp(logits, find_peak(logits)); }

double log_sum_exp(std::span<const float> logits, const Peak& peak) {
  if (!std::isfinite(peak.logit)) return peak.logit;
  const auto highest = static_cast<float>(peak.logit);
  const auto below = [highest](float logit) { return is_number(logit) ? logit - highest : -100.0F; };
  constexpr std::size_t kPiece = 1024;  // summed in fp32; the pieces' sums in fp64
  double sum = 0;
  for (std::size_t begin = 0; begin < logits.size(); begin += kPiece) {
    const std::span<const float> piece = logits.subspan(begin, std::min(kPiece, logits.size() - begin));
    std::array<float, kLanes> sums{};
    std::size_t i = 0;
    for (; i + kLanes <= piece.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += power(below(piece[i + lane]));
      }
    }
    for (; i < piece.size(); ++i) sums[0] += power(below(piece[i]));
    for (const float each : sums) sum += each;
  }
  return peak.logit + std::log(sum);
}

}  // namespace weft
