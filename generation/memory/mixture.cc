#include "generation/memory/mixture.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "model/base/logits.h"

namespace weft::generation {
namespace {

std::size_t length_row(std::size_t match_length) {
  const auto behind = std::ranges::upper_bound(kMatchLengths, match_length);
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(behind - kMatchLengths.begin(), 1) - 1);
}

Sureness sureness_of(const Opinion& opinion) {
  if (opinion.count == 1) return Sureness::kOnce;
  return opinion.continuations.size() == 1 ? Sureness::kAlways : Sureness::kDivided;
}

Agreement agreement_of(TokenId token, std::size_t index, std::span<const Opinion> opinions, TokenId best) {
  bool other = false;
  for (std::size_t i = 0; i < opinions.size(); ++i) {
    other = other || (i != index && opinions[i].continuations.front().token == token);
  }
  if (token == best) return other ? Agreement::kAll : Agreement::kModel;
  return other ? Agreement::kOtherSource : Agreement::kNobody;
}

std::size_t cell_of(const Evidence& evidence, Sureness sureness, Agreement agreement) {
  std::size_t cell = static_cast<std::size_t>(evidence.source);
  cell = cell * kMatchLengths.size() + length_row(evidence.match_length);
  cell = cell * kSurenesses + static_cast<std::size_t>(sureness);
  return cell * kAgreements + static_cast<std::size_t>(agreement);
}

bool may_come(TokenId token, std::span<const float> logits) {
  const auto index = static_cast<std::size_t>(token.value());
  return index < logits.size() && std::isfinite(logits[index]);
}

}  // namespace

std::vector<Opinion> opinions_of(std::span<const Evidence> evidence, TokenId best, std::span<const float> logits) {
  std::vector<const Evidence*> longest_first;
  for (const Evidence& one : evidence) longest_first.push_back(&one);
  std::ranges::stable_sort(longest_first, std::ranges::greater(), &Evidence::match_length);
  std::vector<Opinion> opinions;
  std::vector<const Evidence*> whose;
  for (const Evidence* from : longest_first) {
    const Evidence& one = *from;
    Opinion opinion;
    opinion.match_length = one.match_length;
    for (const Continuation& continuation : one.continuations) {
      if (!may_come(continuation.token, logits)) continue;
      opinion.continuations.push_back(continuation);
      opinion.count += continuation.count;
    }
    if (opinion.continuations.empty()) continue;
    opinions.push_back(std::move(opinion));
    whose.push_back(from);
  }
  for (std::size_t i = 0; i < opinions.size(); ++i) {
    const TokenId first = opinions[i].continuations.front().token;
    opinions[i].cell = cell_of(*whose[i], sureness_of(opinions[i]), agreement_of(first, i, opinions, best));
  }
  return opinions;
}

std::vector<double> weights_of(std::span<const Opinion> opinions, const MemoryWeights& weights) {
  std::vector<double> out;
  double left = 1;
  for (const Opinion& opinion : opinions) {
    out.push_back(left * weights.shares[opinion.cell]);
    left -= out.back();
  }
  return out;
}

void mix_in(std::span<float> logits, std::span<const Evidence> evidence, const MemoryWeights& weights) {
  if (evidence.empty()) return;
  const Peak peak = find_peak(logits);
  if (!std::isfinite(peak.logit)) return;
  const auto opinions = opinions_of(evidence, TokenId(static_cast<std::int32_t>(peak.index)), logits);
  if (opinions.empty()) return;
  const std::vector<double> given = weights_of(opinions, weights);
  double left = 1;
  for (const double weight : given) left -= weight;

  struct Added {
    std::size_t index;
    double probability;  // of the mixture
  };
  std::vector<Added> added;
  const double normaliser = log_sum_exp(logits, peak);
  for (std::size_t i = 0; i < opinions.size(); ++i) {
    for (const Continuation& continuation : opinions[i].continuations) {
      const auto index = static_cast<std::size_t>(continuation.token.value());
      const auto found = std::ranges::find(added, index, &Added::index);
      const double share = given[i] * continuation.count / opinions[i].count;
      if (found != added.end()) {
        found->probability += share;
      } else {
        added.push_back({index, left * std::exp(logits[index] - normaliser) + share});
      }
    }
  }
  const double shift = std::log(left) - normaliser;
  for (float& logit : logits) {
    if (std::isfinite(logit)) logit = static_cast<float>(logit + shift);
  }
  for (const Added& one : added) logits[one.index] = static_cast<float>(std::log(one.probability));
}

}  // namespace weft::generation
