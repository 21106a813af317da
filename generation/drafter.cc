#include "generation/drafter.h"

#include <algorithm>
#include <bit>

namespace weft::generation {
namespace {

constexpr SuffixIndex::TextId kOwn = 0;
constexpr double kNewShare = 0.1;        // of a running mean's newest value
constexpr double kNewPromptShare = 0.2;  // the same, where values come seldom
constexpr double kLeastGain = 1.02;      // below it a draft is not worth its risk

void note(std::optional<double>& mean, double value, double share) {
  mean = mean ? *mean + share * (value - *mean) : value;
}

}  // namespace

void StepCosts::note_decoding(std::size_t rows, double ms) {
  if (rows > 0 && rows < decoding_ms_.size()) note(decoding_ms_[rows], ms, kNewShare);
}

void StepCosts::note_prompt(std::size_t tokens, double ms) {
  note(prompt_token_ms_, ms / static_cast<double>(tokens), kNewPromptShare);
}

// What was never run costs what the next fewer rows do; a first run tells.
double StepCosts::relative(std::size_t rows) const {
  const std::optional<double>& one = decoding_ms_[1];
  if (!one || *one <= 0) return 1;
  while (!decoding_ms_[rows]) --rows;
  return std::max(1.0, *decoding_ms_[rows] / *one);
}

std::size_t DraftRecord::bucket(std::size_t match_length) {
  const auto log2 = static_cast<std::size_t>(std::bit_width(std::max<std::size_t>(match_length, 1))) - 1;
  return std::min(log2, kLengths - 1);
}

void DraftRecord::note(std::size_t match_length, bool accepted) {
  double& chance = chances_[bucket(match_length)];
  chance += kNewShare / 2 * ((accepted ? 1.0 : 0.0) - chance);
}

void DraftRecord::age(std::size_t match_length) {
  const std::size_t of = bucket(match_length);
  chances_[of] += kNewShare / 50 * (kPriors[of] - chances_[of]);
}

double DraftRecord::chance(std::size_t match_length) const { return chances_[bucket(match_length)]; }

void Drafter::follow(std::span<const TokenId> context) {
  const bool grows = context.size() >= indexed_.size() && std::ranges::equal(indexed_, context.first(indexed_.size()));
  if (!grows) {
    own_.remove_text(kOwn);
    indexed_.clear();
  }
  const auto fresh = context.subspan(indexed_.size());
  own_.append(kOwn, fresh);
  indexed_.insert(indexed_.end(), fresh.begin(), fresh.end());
}

Guess Drafter::guess(std::span<const TokenId> context) const {
  if (memory_ == nullptr) {
    const SuffixIndex::Match match = own_.longest_match(context);
    return match.length == 0 ? Guess{} : Guess{match.continuations.front().token, match.length};
  }
  Guess best;
  best.evidence = memory_->look_up(context);
  for (const Evidence& each : best.evidence) {
    if (each.match_length <= best.match_length) continue;
    best.match_length = each.match_length;
    best.token = each.continuations.front().token;
  }
  return best;
}

std::vector<Guess> Drafter::draft(std::span<const TokenId> context, std::size_t most, DraftRecord& record,
                                  const StepCosts& costs) {
  most = std::min(most, kMostRows - 1);
  if (most == 0) return {};
  if (memory_ == nullptr) follow(context);
  std::vector<TokenId> tokens(context.begin(), context.end());
  std::vector<Guess> guesses;
  double reached = 1, expected = 1;  // the chance that all guesses so far come true; tokens that the step yields
  double best_rate = kLeastGain;
  std::size_t best_count = 0;
  while (guesses.size() < most) {
    Guess next = guess(tokens);
    if (next.match_length == 0) break;
    tokens.push_back(next.token);
    reached *= record.chance(next.match_length);
    guesses.push_back(std::move(next));
    expected += reached;
    const double rate = expected / costs.relative(guesses.size() + 1);
    if (rate > best_rate) best_rate = rate, best_count = guesses.size();
    if (reached < 0.1) break;  // what comes after is hardly ever reached
  }
  if (best_count == 0 && !guesses.empty()) record.age(guesses.front().match_length);
  guesses.resize(best_count);
  return guesses;
}

}  // namespace weft::generation
